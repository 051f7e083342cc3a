"""Parameters of a request as texts, and their reading with the venue's own refusals.

Over REST they come from the query string and the form body; over the WebSocket API JSON numbers and booleans are
turned into text exactly as written (`load_exact`, `texts_of`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar
from urllib.parse import unquote_plus

from simulator import errors
from simulator.errors import VenueError
from simulator.instruments import Market
from simulator.units import NotADecimal, TooPrecise, parse_quanta

TextT = TypeVar("TextT", bound=str)

INTEGER = r"^[0-9]{1,20}$"
SIGNED_INTEGER = r"^-?[0-9]{1,20}$"
DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
SYMBOL = {"spot": r"^[\w\-._&&[^a-z]]{1,50}$", "futures": r"^[A-Z0-9-_.]{1,20}$"}
"""Legal ranges as the venue prints them (the first is Java's notation for a class without lower case)."""
CLIENT_ID = {"spot": r"^[a-zA-Z0-9-_]{1,36}$", "futures": r"^[\.A-Z\:/a-z0-9_-]{1,36}$"}

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_SYMBOL = {"spot": re.compile(r"[^\Wa-z]([^\Wa-z]|[-.]){0,49}"), "futures": re.compile(r"[\w.-]{1,50}")}
_CLIENT_ID = {name: re.compile(pattern) for name, pattern in CLIENT_ID.items()}
_LARGEST = 2**63 - 1
_HIDDEN = frozenset({"signature", "timestamp", "recvWindow", "apiKey"})
_WRONG_CHOICE = {
    "side": (-1117, "Invalid side."),
    "type": (-1116, "Invalid orderType."),
    "timeInForce": (-1115, "Invalid timeInForce."),
    "interval": (-1120, "Invalid interval."),
    "symbolStatus": (-1122, "Invalid symbolStatus."),
}


class Params:
    """The parameters of one request. Every reader notes the name as read; `finish` refuses what nobody read."""

    __slots__ = ("_read", "_values", "market")

    def __init__(self, values: Mapping[str, str], market: Market = "spot") -> None:
        self._values = values
        self._read: set[str] = set()
        self.market = market

    def has(self, name: str) -> bool:
        """Whether it was sent, be it empty."""
        return name in self._values

    def peek(self, name: str) -> str | None:
        """The text as sent, without noting it as read."""
        return self._values.get(name)

    def optional_text(self, name: str) -> str | None:
        """A text that may be left out; -1105 when sent empty."""
        value = self._values.get(name)
        if value is None:
            return None
        self._read.add(name)
        if not value:
            raise VenueError(-1105, f"Parameter '{name}' was empty.")
        return value

    def text(self, name: str) -> str:
        """A mandatory text; -1102 when absent, -1105 when empty."""
        value = self.optional_text(name)
        if value is None:
            raise errors.missing_parameter(name)
        return value

    def optional_integer(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        """A whole number; -1100 for other characters, -1108 beyond 64 bits, -1130 outside low..high (inclusive)."""
        value = self.optional_text(name)
        if value is None:
            return None
        is_signed = low is not None and low < 0
        if not _INTEGER.fullmatch(value) or (value[0] == "-" and not is_signed):
            raise self._malformed(name, SIGNED_INTEGER if is_signed else INTEGER)
        number = int(value)
        if number > _LARGEST:
            raise VenueError(-1108, f"Parameter '{name}' overflowed.")
        if (low is not None and number < low) or (high is not None and number > high):
            raise invalid_data(name)
        return number

    def integer(self, name: str, low: int | None = None, high: int | None = None) -> int:
        """The same for a mandatory one."""
        value = self.optional_integer(name, low, high)
        if value is None:
            raise errors.missing_parameter(name)
        return value

    def optional_decimal(self, name: str) -> int | None:
        """A plain non-negative decimal, in quanta; -1100 (spot) or -1102 (futures) malformed, -1111 too precise."""
        value = self.optional_text(name)
        if value is None:
            return None
        try:
            return parse_quanta(value)
        except NotADecimal:
            raise self._malformed(name, DECIMAL) from None
        except TooPrecise:
            raise self.too_precise(name) from None

    def decimal(self, name: str) -> int:
        """The same for a mandatory one."""
        value = self.optional_decimal(name)
        if value is None:
            raise errors.missing_parameter(name)
        return value

    def optional_choice(self, name: str, values: Iterable[TextT]) -> TextT | None:
        """One of the venue's words; -1115, -1116, -1117, -1120 by the parameter's name, else -1130."""
        value = self.optional_text(name)
        if value is None:
            return None
        for word in values:
            if word == value:
                return word
        code, message = _WRONG_CHOICE.get(name, (-1130, f"Data sent for parameter '{name}' is not valid."))
        raise VenueError(code, message)

    def choice(self, name: str, values: Iterable[TextT]) -> TextT:
        """The same for a mandatory one."""
        value = self.optional_choice(name, values)
        if value is None:
            raise errors.missing_parameter(name)
        return value

    def boolean(self, name: str, default: bool = False) -> bool:
        """`true` or `false` in any case; -1130 for anything else."""
        value = self.optional_text(name)
        if value is None:
            return default
        word = value.lower()
        if word not in ("true", "false"):
            raise invalid_data(name)
        return word == "true"

    def optional_symbol(self, name: str = "symbol") -> str | None:
        """A symbol's text, not yet looked up (`Call.instrument` does that); -1100 for illegal characters."""
        value = self.optional_text(name)
        if value is None:
            return None
        if not _SYMBOL[self.market].fullmatch(value):
            raise errors.illegal_characters(name, SYMBOL[self.market])
        return value if self.market == "spot" else value.upper()

    def symbol(self, name: str = "symbol") -> str:
        """The same for a mandatory one."""
        value = self.optional_symbol(name)
        if value is None:
            raise errors.missing_parameter(name)
        return value

    def client_id(self, name: str) -> str | None:
        """A client order id that may be left out; -1100 outside the legal range of the market."""
        value = self.optional_text(name)
        if value is not None and not _CLIENT_ID[self.market].fullmatch(value):
            shown = name if self.market == "spot" else name.lower()
            raise errors.illegal_characters(shown, CLIENT_ID[self.market])
        return value

    def json_list(self, name: str) -> list[object] | None:
        """A JSON array such as `symbols=["A","B"]`, numbers in it as text; -1135 when it is not one."""
        value = self.optional_text(name)
        if value is None:
            return None
        try:
            found = load_exact(value)
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise VenueError(-1135, f"JSON sent for parameter '{name}' is not valid")
        return found

    def refuse(self, *names: str) -> None:
        """-1106 for a parameter that was sent though it has no place in this request."""
        for name in names:
            if name in self._values:
                raise VenueError(-1106, f"Parameter '{name}' sent when not required.")

    def finish(self) -> None:
        """Spot refuses parameters that nobody read (-1104); USD-M ignores them."""
        if self.market != "spot":
            return
        unread = [name for name in self._values if name not in self._read and name not in _HIDDEN]
        if unread:
            sent = len(self._values)
            raise VenueError(
                -1104,
                f"Not all sent parameters were read; read '{sent - len(unread)}' parameter(s) but was sent '{sent}'.",
            )

    def shown(self) -> dict[str, str]:
        """What may be written down: everything but key, signature and times, long values cut."""
        return {name: value[:256] for name, value in self._values.items() if name not in _HIDDEN}

    def too_precise(self, name: str) -> VenueError:
        """-1111 in the market's words."""
        if self.market == "spot":
            return errors.too_precise(name)
        return VenueError(-1111, "Precision is over the maximum defined for this asset.")

    def _malformed(self, name: str, pattern: str) -> VenueError:
        if self.market == "spot":
            return errors.illegal_characters(name, pattern)
        return errors.missing_parameter(name)


def invalid_data(name: str) -> VenueError:
    """-1130: a parameter whose value makes no sense here."""
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")


def parse_form(raw: str) -> list[tuple[str, str]]:
    """Names and values of a query string or form body, percent-decoded; malformed escapes stay as they are."""
    pairs = []
    for item in raw.split("&"):
        if not item:
            continue
        name, _, value = item.partition("=")
        if "%" in item or "+" in item:
            name, value = unquote_plus(name), unquote_plus(value)
        pairs.append((name, value))
    return pairs


def merge(query: str, body: str) -> dict[str, str]:
    """Parameters of both, the query winning; -1101 when one of the two repeats a name."""
    values = _unique(parse_form(body)) if body else {}
    if query:
        values.update(_unique(parse_form(query)))
    return values


def _unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise VenueError(-1101, "Duplicate values for a parameter detected.")
    return values


def load_exact(text: str | bytes) -> object:
    """JSON whose numbers become texts exactly as written; ValueError when it is not JSON or nested too deeply."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def texts_of(values: Mapping[str, object]) -> dict[str, str]:
    """Parameters of a WebSocket API request (read by `load_exact`) as texts; null counts as not sent."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, str):
            texts[name] = clean(value)
        elif isinstance(value, bool):
            texts[name] = "true" if value else "false"
        elif value is not None:
            texts[name] = clean(json.dumps(value, separators=(",", ":")))
    return texts


def clean(text: str) -> str:
    """The text with halves of surrogate pairs and undecodable bytes replaced, so that it can be written again."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
