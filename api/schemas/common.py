"""Shapes that many routes share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

#: Row numbers are 64 bits wide.
LARGEST_NUMBER = 2**63 - 1
#: Text for people: no control characters.
NAME_PATTERN = r"^[^\x00-\x1f\x7f]+$"
SYMBOL_PATTERN = r"^[A-Z0-9]{1,20}([-_/:][A-Z0-9]{1,20}){0,3}$"
INTERVAL_PATTERN = r"^(1s|1m|3m|5m|15m|30m|1h|2h|4h|6h|8h|12h|1d|3d|1w)$"

Item = TypeVar("Item")

_AMOUNT_SCHEMA: dict[str, Any] = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^-?\d+(\.\d+)?$",
    "examples": ["0.001"],
}
#: An exact amount, as plain decimal text.
Amount = Annotated[str, WithJsonSchema(_AMOUNT_SCHEMA)]


def _with_z(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


#: A moment in UTC, ending in Z.
Moment = Annotated[datetime, PlainSerializer(_with_z, return_type=str), WithJsonSchema({
    "type": "string", "format": "date-time", "examples": ["2026-11-28T12:00:00Z"],
})]  # fmt: skip

Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Its number.")]
Cursor = Annotated[
    str | None, Query(max_length=400, description="Where the page begins: `next_cursor` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on the page.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="Sending the same key again gives the command of then instead of a second one.",
    ),
]


class Answer(BaseModel):
    """Base of what is answered. A field with a default is always there, and the description says so."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Body(BaseModel):
    """Base of what is asked: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Answer):
    """A sentence by its code and values, to be said in other languages."""

    code: str = Field(description="Stable; names the sentence.", examples=["not_below_upper_price"])
    text: str = Field(description="The English.", examples=["it must be below upper_price"])
    field: str = Field("", description="The parameter that it is about; the English begins with its name.")
    values: dict[str, Words | str] = Field({}, description="What is put into the sentence, by name.")


#: Beside a text: the same as code and values; null for words of others, such as a venue's.
Told = Annotated[Words | None, Field(description="The same by code and values; null for words that have no code.")]


class FieldProblem(Answer):
    """One field and why it was refused."""

    field: str = Field(examples=["parameters.lower_price"])
    reason: str = Field(examples=["it must be below upper_price"])
    words: Told = None


class Problem(Answer):
    """An error, as RFC 9457 tells it."""

    type: str = "about:blank"
    title: str = Field(examples=["Bad fields"])
    status: int = Field(examples=[422])
    code: str = Field(description="Stable and meant for programs.", examples=["bad_fields"])
    detail: str = Field(examples=["Some fields cannot be taken as they are."])
    next_step: str = Field(examples=["Correct the fields and send the request again."])
    words: Told = None
    errors: list[FieldProblem] = []


class Page(Answer, Generic[Item]):
    """Some items, and where the next ones begin; null at the end."""

    items: list[Item]
    next_cursor: str | None = None
