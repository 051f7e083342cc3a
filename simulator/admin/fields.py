"""Fields of an operator's request, read with refusals that name the field and the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from simulator.units import NotADecimal, TooPrecise, parse_quanta

WordT = TypeVar("WordT", bound=str)

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_PERCENT = re.compile(r"([+-]?)([0-9]{1,6})(?:\.([0-9]{1,4}))?", re.ASCII)
PPM_OF_PERCENT = 10_000


class BadField(ValueError):
    """A field that cannot be used: 400 with its name and the reason; nothing has changed."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.field = name
        self.reason = reason


class Missing(LookupError):
    """404: what the path names does not exist."""


class Conflict(RuntimeError):
    """409: not possible in the venue's present state."""


class Fields:
    """A JSON object, the query and the path's own parts as one set of fields; `done` refuses what nobody read."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether it was given and is not null."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> object:
        """The value as given, None when it was not."""
        self._read.add(name)
        return self._values.get(name)

    def optional_text(self, name: str) -> str | None:
        """A text that is not empty."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise BadField(name, "must be a text that is not empty")
        return value

    def text(self, name: str) -> str:
        """The same for a mandatory one."""
        return _given(name, self.optional_text(name))

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number from low to high."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadField(name, f"must be a whole number from {low} to {high}")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """The same for a mandatory one."""
        return _given(name, self.optional_integer(name, low, high))

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """true or false; mandatory without a default."""
        value = self.raw(name)
        if value is None and default is not None:
            return default
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise BadField(name, "must be true or false")
        return value

    def choice(self, name: str, words: Sequence[WordT], default: WordT | None = None) -> WordT:
        """One of the words; mandatory without a default."""
        value = self.raw(name)
        if value is None and default is not None:
            return default
        for word in words:
            if word == value:
                return word
        raise BadField(name, f"must be one of {', '.join(words)}")

    def amount(self, name: str) -> int:
        """A positive decimal text or whole number, in quanta."""
        return parse_amount(name, self.raw(name))

    def percent(self, name: str) -> int:
        """A signed percentage such as "-2.5" or 10, in millionths of the whole."""
        value = self.raw(name)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        match = _PERCENT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise BadField(name, 'must be a percentage such as "-2.5" or 10, with at most four decimals')
        number = int(match[2]) * PPM_OF_PERCENT + int((match[3] or "").ljust(4, "0"))
        return -number if match[1] == "-" else number

    def mapping(self, name: str) -> dict[str, object]:
        """A JSON object, empty when it was not given."""
        value = self.raw(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadField(name, "must be an object")
        return value

    def texts(self, name: str) -> list[str] | None:
        """A list of texts."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadField(name, "must be a list of texts")
        return list(value)

    def everything(self) -> dict[str, object]:
        """All of it, as one rule of its own to check."""
        self._read.update(self._values)
        return dict(self._values)

    def done(self) -> None:
        """Refuse a field that nobody read: it is a typing error more often than not."""
        for name in self._values:
            if name not in self._read:
                raise BadField(name, f"is not a field here; known are {', '.join(sorted(self._read)) or 'none'}")


def parse_amount(name: str, value: object) -> int:
    """Quanta of a positive decimal text or whole number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        amount = parse_quanta(text) if isinstance(text, str) else 0
    except (NotADecimal, TooPrecise):
        amount = 0
    if amount <= 0:
        raise BadField(name, 'must be a decimal text above zero with at most eight decimals, such as "12.5"')
    return amount


GivenT = TypeVar("GivenT")


def _given(name: str, value: GivenT | None) -> GivenT:
    if value is None:
        raise BadField(name, "is missing")
    return value
