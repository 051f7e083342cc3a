"""JSON bodies read exactly: numbers become decimals from their text, never floats."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

#: More digits than any amount has.
_LONGEST_NUMBER: Final = 60


def read_exactly(body: bytes) -> Any:
    """The value of a JSON text. `JSONDecodeError` for what is not JSON, keys given twice and numbers beyond reason."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("it is not UTF-8", "", 0) from error
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=Decimal, object_pairs_hook=_unique
        )
    except RecursionError as error:
        raise json.JSONDecodeError("it is nested too deeply", "", 0) from error


class ExactRequest(Request):
    """A request whose JSON body is read exactly."""

    async def json(self) -> Any:
        """The body's value."""
        return read_exactly(await self.body())


class ExactRoute(APIRoute):
    """A route that reads its body exactly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given an `ExactRequest`."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def exact(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return exact


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise json.JSONDecodeError(f"a number has {len(text)} characters", "", 0)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise json.JSONDecodeError(f"{text} is no number", "", 0) from error


def _integer(text: str) -> int | Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise json.JSONDecodeError(f"a number has {len(text)} characters", "", 0)
    # "-0" keeps its sign, so that whoever checks amounts can see it.
    return Decimal(text) if text == "-0" else int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise json.JSONDecodeError(f"the key {key[:60]!r} is given twice", "", 0)
        found[key] = value
    return found
