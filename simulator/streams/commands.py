"""The five commands of a stream connection, and the venue's words for those that are malformed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

import orjson

from simulator.streams.frames import text_frame

Method = Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]
RequestId = int | str | None

_METHODS: tuple[str, ...] = get_args(Method)
_ID_TEXT = re.compile(r"[A-Za-z0-9_-]{0,36}", re.ASCII)
_INT64 = 1 << 63


class CommandError(Exception):
    """A command the venue refuses with `{"error": {"code", "msg"}}`; the connection goes on."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def frame(self, request_id: RequestId, has_id: bool) -> bytes:
        """The answer; without `id` when the command had none that could be read."""
        body: dict[str, object] = {"error": {"code": self.code, "msg": self.message}}
        if has_id:
            body["id"] = request_id
        return text_frame(body)


@dataclass(frozen=True, slots=True)
class Command:
    """A well-formed command; `streams` of SUBSCRIBE and UNSUBSCRIBE, `flag` of SET_PROPERTY."""

    method: Method
    id: RequestId
    streams: tuple[str, ...] = ()
    flag: bool = False


def read_id(value: object) -> tuple[RequestId, bool]:
    """A request's id, and whether it is one: a 64-bit integer, a text of at most 36 characters, or null."""
    if isinstance(value, bool):
        return None, False
    if value is None or (isinstance(value, int) and -_INT64 <= value < _INT64):
        return value, True
    if isinstance(value, str) and _ID_TEXT.fullmatch(value):
        return value, True
    return None, False


def parse_json(text: str) -> object:
    """The message's JSON; CommandError code 3 when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise CommandError(3, f"Invalid JSON: expected value at {place}") from None
    except (UnicodeError, RecursionError):
        raise CommandError(3, "Invalid JSON: expected value at line 1 column 1") from None


def parse_command(value: object, text: str) -> Command:
    """A command of its JSON; CommandError for anything that is none. `text` is the message, for column numbers."""
    if not isinstance(value, dict):
        raise CommandError(2, f"Invalid request: invalid type, expected struct Request at line 1 column {len(text)}")
    if "method" not in value:
        raise CommandError(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
    method = value["method"]
    if not isinstance(method, str) or method not in _METHODS:
        raise CommandError(2, _unknown_method(method, text))
    request_id, has_id = read_id(value.get("id", False))
    if not has_id:
        raise CommandError(2, "Invalid request: request ID must be an unsigned integer")
    known = cast("Method", method)
    params = value.get("params", [])
    if not isinstance(params, list):
        raise CommandError(2, "Invalid request: params must be a sequence")
    if known in ("SUBSCRIBE", "UNSUBSCRIBE"):
        return Command(known, request_id, _streams(params))
    if known == "LIST_SUBSCRIPTIONS":
        _at_most(params, 0)
        return Command(known, request_id)
    return Command(known, request_id, flag=_property(params, known == "SET_PROPERTY"))


def _unknown_method(method: object, text: str) -> str:
    shown = method if isinstance(method, str) else orjson.dumps(method).decode()
    column = text.find(shown) + len(shown) + 1
    listed = ", ".join(f"`{name}`" for name in _METHODS)
    return f"Invalid request: unknown variant `{shown}`, expected one of {listed} at line 1 column {column}"


def _streams(params: list[object]) -> tuple[str, ...]:
    names = [item for item in params if isinstance(item, str)]
    if len(names) != len(params):
        raise CommandError(2, "Invalid request: stream name must be a string")
    return tuple(dict.fromkeys(names))


def _property(params: list[object], sets: bool) -> bool:
    if not params or not isinstance(params[0], str):
        raise CommandError(2, "Invalid request: property name must be a string")
    _at_most(params, 2 if sets else 1)
    if params[0] != "combined":
        raise CommandError(0, "Unknown property")
    if not sets:
        return False
    if len(params) != 2 or not isinstance(params[1], bool):
        raise CommandError(1, "Invalid value type: expected Boolean")
    return params[1]


def _at_most(params: list[object], count: int) -> None:
    if len(params) > count:
        raise CommandError(2, "Invalid request: too many parameters")
