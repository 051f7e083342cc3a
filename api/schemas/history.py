"""Histories on their way in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.common import Answer, Body, Moment, Page, Told
from core.base_jobs import FileImport

ImportState = Literal["receiving", "queued", "running", "done", "failed"]
#: Bytes of a file; a year of minutes takes some 10 MB when it is packed.
LARGEST_FILE = 64 * 1024 * 1024
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,69}$"
#: What a worker can read, by its ending.
FILE_PATTERN = r"^[A-Za-z0-9_. ()+-]{1,160}\.(csv|csv\.gz|zip|json|feather|parquet|pq)$"


class HistoryImportCreate(Body):
    """A file that is to be sent in, in parts of `part_bytes` (the answer says how many bytes that is)."""

    name: str = Field(pattern=NAME_PATTERN, description="What the history will be called.", examples=["btc-1h"])
    file_name: str = Field(
        pattern=FILE_PATTERN, description="Its ending says what it holds.", examples=["BTCUSDT-1h-2024-01.zip"]
    )
    size: int = Field(ge=1, le=LARGEST_FILE, description="Bytes of the file.")
    symbol: str = Field(
        pattern=r"^[A-Z0-9]{1,20}/[A-Z0-9]{1,20}$", description="Base and quote of it.", examples=["BTC/USDT"]
    )
    prints: bool = Field(False, description="It holds trades, as the archive's aggTrades, instead of bars.")
    interval: str = Field(
        "", pattern=r"^(|1s|1m|3m|5m|15m|30m|1h|2h|4h|6h|8h|12h|1d|3d|1w)$", description="Longer bars to make of them."
    )

    def job(self) -> FileImport:
        """What a worker is asked for."""
        return FileImport(file_name=self.file_name, symbol=self.symbol, prints=self.prints, interval=self.interval)


class BadRow(Answer):
    """What is to be known of a row of a file; row 0 is the file as a whole."""

    row: int
    reason: str
    reason_words: Told


class HistoryImport(Answer):
    """A history on its way in. The event stream tells its end, as topic `run` with kind `import`."""

    id: int
    name: str
    source: Literal["file", "simulated"]
    file_name: str = Field(description="Empty for what comes from a venue.")
    symbol: str
    state: ImportState
    done: int = Field(description="While it is received, bytes of the file; else milliseconds of the market.")
    total: int
    part_bytes: int = Field(description="Length of a part of the file; the last one is shorter.")
    error: str
    error_words: Told
    errors: list[BadRow] = Field(description="Rows that stop it, at most 100; of one that is done, what to know of it.")
    history_id: int | None = Field(description="The history that it has become.")
    created_at: Moment
    finished_at: Moment | None


HistoryImportList = Page[HistoryImport]
