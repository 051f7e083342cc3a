"""Histories on their way in, taken in by workers, some of which die; on both databases."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import polars
import pytest
from sqlalchemy import Engine

from core.base_jobs import FileImport, ImportJob, VenueImport
from core.config import VenueSection
from db.models import HistoryImport, HistoryImportPart
from db.queries import histories, imports
from db.queries.instances import NoSuchRow
from db.unit_of_work import committed, reading
from domain.errors import Transient
from engine.backtest import History, Prints, store
from engine.backtest.download import Told, Wanted
from tasks.claims import MOST_ATTEMPTS
from tasks.imports import ABANDONED, Intake
from tests import journal_database
from tests.contract.journal_contract import ACCOUNTS
from tests.fakes.hands import Hands
from tests.markets import trending

pytestmark = pytest.mark.services

OWNER = 1
HISTORY = trending(4, 240)
WANTED = VenueImport(
    venue="binance_spot", symbol="BTCUSDT", interval="1h", since_ms=0, until_ms=3_600_000, simulated=True
)


class Venue:
    """A venue that tells `HISTORY`, page by page, unless it was told to stop after some."""

    def __init__(self) -> None:
        self.pages_before_it_stops = 10
        self.asked = 0

    async def fetch(self, wanted: Wanted, path: Path, _at: VenueSection | None, tell: Told) -> History:
        path.parent.mkdir(parents=True, exist_ok=True)
        begin = int(path.read_text()) if path.exists() else 0
        for page in range(begin, 4):
            self.asked += 1
            if page == self.pages_before_it_stops:
                raise ConnectionResetError(wanted.symbol)
            tell(page, 4)
            path.write_text(str(page + 1))
        return HISTORY


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = journal_database.prepare(database_url, ACCOUNTS, exactly=True)
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> Hands:
    return Hands()


def intake(engine: Engine, clock: Hands, folder: Path, name: str = "one", venue: Venue | None = None) -> Intake:
    return Intake(engine, clock, name, folder, most_rows=1_000, fetch=(venue or Venue()).fetch)


def lines(begin: int = 0, end: int = 240) -> list[str]:
    columns = (column.tolist()[begin:end] for column in HISTORY.columns[:5])
    return [f"{at},{o / 100},{h / 100},{low / 100},{c / 100},1.5" for at, o, h, low, c in zip(*columns, strict=True)]


def ask(engine: Engine, job: FileImport | VenueImport, content: bytes = b"", name: str = "mine") -> int:
    """An import whose file has come whole; gives its number."""
    now = datetime.now(UTC)
    state = imports.RECEIVING if content else imports.QUEUED
    row = HistoryImport(
        owner_id=OWNER, name=name, job=ImportJob(job).model_dump_json(), state=state, total=len(content),
        created_at=now, updated_at=now,
    )  # fmt: skip
    with committed(engine) as unit:
        imports.add(unit, row)
        for part in range((len(content) + histories.PART_BYTES - 1) // histories.PART_BYTES):
            piece = content[part * histories.PART_BYTES : (part + 1) * histories.PART_BYTES]
            for _ in range(2):  # sent again it changes nothing
                if row.state == imports.RECEIVING:
                    imports.keep_part(unit, row, part, piece, now)
        assert row.state == imports.QUEUED
    return row.id or 0


def look(engine: Engine, number: int) -> HistoryImport:
    with reading(engine) as unit:
        found = imports.get(unit, number)
    assert found is not None
    return found


def kept(engine: Engine, number: int) -> History:
    with reading(engine) as unit:
        return store.unpack(histories.content(unit, number))


def packed(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-1h.csv", text)
    return content.getvalue()


def frame(kind: str) -> bytes:
    content, rows = io.BytesIO(), [[float(cell) for cell in line.split(",")] for line in lines()]
    names = ("date", "open", "high", "low", "close", "volume")
    made = polars.DataFrame(rows, schema=names, orient="row").with_columns(polars.col("date").cast(polars.Int64))
    made.write_parquet(content) if kind == "parquet" else made.write_ipc(content)
    return content.getvalue()


TEXT = "\n".join(lines())
FORMS = {
    "bars.csv": TEXT.encode(),
    "bars.csv.gz": gzip.compress(TEXT.encode()),
    "bars.zip": packed(TEXT),
    "bars.json": orjson.dumps([[float(cell) for cell in line.split(",")] for line in lines()]),
    "bars.parquet": frame("parquet"),
    "bars.feather": frame("feather"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_any_kind_becomes_the_same_history_of_its_owner(
    engine: Engine, clock: Hands, tmp_path: Path, name: str
) -> None:
    number = ask(engine, FileImport(file_name=name, symbol="BTC/USDT"), FORMS[name])
    intake(engine, clock, tmp_path).work(number)
    row = look(engine, number)
    assert (row.state, row.error) == ("done", "")
    found = kept(engine, row.history_id or 0)
    assert (len(found), found.close.tolist()) == (240, HISTORY.close.tolist())
    with reading(engine) as unit:
        (mine,) = histories.listed(unit, OWNER, 0, 10)
        assert (mine.title, mine.source, mine.symbol, mine.owner_id) == ("mine", "uploaded", "BTC/USDT", OWNER)
        assert histories.listed(unit, OWNER + 1, 0, 10) == []
        with pytest.raises(NoSuchRow):
            histories.usable(unit, mine.id or 0, OWNER + 1)
        assert imports.file(unit, number) == b""


def test_trades_are_taken_in_and_made_longer_bars_of(engine: Engine, clock: Hands, tmp_path: Path) -> None:
    rows = [f"{at + 1},{1_672_617_600_000 + 20_000 * at},{100 + at % 7}.5,2" for at in range(300)]
    content = "\n".join(["id,time,price,qty", *rows]).encode()
    for interval in ("", "1m"):
        job = FileImport(file_name="trades.csv", symbol="BTC/USDT", prints=True, interval=interval)
        number = ask(engine, job, content, f"trades-{interval}")
        intake(engine, clock, tmp_path).work(number)
        row = look(engine, number)
        assert row.state == "done", row.error
        found = kept(engine, row.history_id or 0)
        assert (isinstance(found, Prints), len(found)) == (not interval, 99 if interval else 300)


def test_every_bad_row_is_named_and_nothing_is_kept(engine: Engine, clock: Hands, tmp_path: Path) -> None:
    rows = lines()
    rows[7], rows[9] = rows[6], rows[9].replace(",", ",x", 1)
    number = ask(engine, FileImport(file_name="bars.csv", symbol="BTC/USDT"), "\n".join(rows).encode())
    intake(engine, clock, tmp_path).work(number)
    row = look(engine, number)
    assert (row.state, row.history_id) == ("failed", None)
    named = {one["row"]: one["words"] for one in orjson.loads(row.findings or "[]")}
    assert named[8].startswith("is double")
    assert named[10].startswith("cannot be read")
    with reading(engine) as unit:
        assert histories.listed(unit, OWNER, 0, 10) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bars.zip", b"PK nothing", "bars.zip: it cannot be read"),
        ("bars.csv.gz", gzip.compress(TEXT.encode())[:-20], "bars.csv.gz: it cannot be read"),
        ("bars.parquet", b"PAR1 nothing", "bars.parquet: it cannot be read"),
        ("bars.feather", b"ARROW1 nothing", "bars.feather: it cannot be read"),
        ("bars.json", b"[[1,2", "bars.json: it cannot be read"),
        ("bars.json", b'{"a":1}', "bars.json: an array of bars is wanted"),
        ("bars.csv", b"\xff\xfe\x00", "bars.csv: it cannot be read"),
        ("bars.csv", b"\n\n", "bars.csv: it holds no rows"),
        ("bars.zip", packed(f"{TEXT}\n" * 50), "bars.zip: it has more than 1000 rows"),
        ("bars.zip", packed("0" * 10_000_000), "bars.zip: a line is longer"),
    ],
)
def test_what_is_no_file_of_bars_is_told_without_where_it_lay(
    engine: Engine, clock: Hands, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    number = ask(engine, FileImport(file_name=name, symbol="BTC/USDT"), content)
    intake(engine, clock, tmp_path).work(number)
    row = look(engine, number)
    assert row.state == "failed"
    assert row.error.startswith(words), row.error


def test_a_simulated_market_is_fetched_on_after_a_death_and_is_everybodys(
    engine: Engine, clock: Hands, tmp_path: Path
) -> None:
    number, venue = ask(engine, WANTED, name="made-up"), Venue()
    venue.pages_before_it_stops = 2
    first = intake(engine, clock, tmp_path, "first", venue)
    with committed(engine) as unit:
        assert imports.claim(unit, number, first._claim())  # and dies
    second = intake(engine, clock, tmp_path, "second", venue)
    second.work(number)
    assert look(engine, number).worker == "first"
    assert second.deserted() == []
    clock.pass_time(timedelta(hours=1))
    assert second.deserted() == [number]
    assert intake(engine, clock, tmp_path, "third", venue).deserted() == []
    second.work(number)
    assert look(engine, number).state == "failed"  # nobody knows what a reset of this kind means; a person asks again
    with committed(engine) as unit:
        row = imports.of_owner(unit, number, OWNER)
        row.state = imports.QUEUED
        unit.session.add(row)
    venue.pages_before_it_stops = 10
    intake(engine, clock, tmp_path, "third", venue).work(number)
    row = look(engine, number)
    assert (row.state, venue.asked) == ("done", 5)
    with reading(engine) as unit:
        (found,) = histories.listed(unit, OWNER + 1, 0, 10)
    assert (found.name, found.source, found.owner_id) == ("made-up", "simulated", None)
    assert list(tmp_path.glob("*.download")) == []


def test_a_removed_import_keeps_nothing_and_one_that_kills_workers_ends(
    engine: Engine, clock: Hands, tmp_path: Path
) -> None:
    number, venue = ask(engine, WANTED), Venue()

    class Removing(Venue):
        async def fetch(self, wanted: Wanted, path: Path, at: VenueSection | None, tell: Told) -> History:
            with committed(engine) as unit:
                imports.remove(unit, imports.of_owner(unit, number, OWNER))
            return await super().fetch(wanted, path, at, tell)

    with pytest.raises(Transient):
        intake(engine, clock, tmp_path, "one", Removing()).work(number)
    with reading(engine) as unit:
        assert histories.listed(unit, OWNER, 0, 10) == []
    deadly = ask(engine, WANTED)
    for _ in range(MOST_ATTEMPTS):
        with committed(engine) as unit:
            assert imports.claim(unit, deadly, intake(engine, clock, tmp_path, "dead")._claim())
        clock.pass_time(timedelta(hours=1))
    intake(engine, clock, tmp_path, "last", venue).work(deadly)
    assert (look(engine, deadly).state, venue.asked) == ("failed", 0)


def test_a_file_that_stops_coming_is_dropped_after_a_day(engine: Engine, clock: Hands, tmp_path: Path) -> None:
    clock.ms = int(datetime.now(UTC).timestamp() * 1_000)
    now = datetime.now(UTC)
    row = HistoryImport(
        owner_id=OWNER, name="half", state=imports.RECEIVING, total=histories.PART_BYTES + 1, created_at=now,
        updated_at=now, job=ImportJob(FileImport(file_name="a.csv", symbol="BTC/USDT")).model_dump_json(),
    )  # fmt: skip
    with committed(engine) as unit:
        imports.add(unit, row)
        imports.keep_part(unit, row, 0, b"x" * histories.PART_BYTES, now)
    assert (row.state, row.done) == ("receiving", histories.PART_BYTES)
    worker = intake(engine, clock, tmp_path)
    worker.work(row.id or 0)
    assert worker.deserted() == []
    assert look(engine, row.id or 0).state == "receiving"
    clock.pass_time(ABANDONED + timedelta(minutes=1))
    assert worker.deserted() == []
    with reading(engine) as unit:
        assert imports.get(unit, row.id or 0) is None
        assert unit.session.get(HistoryImportPart, (row.id or 0, 0)) is None
