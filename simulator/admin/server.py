"""The operator's port: steer the market, move time, inject faults, read the truth. Loopback, and never a browser's.

Whoever reaches it is believed, so it refuses requests that a web page could make: any with an Origin, and any whose
Host is a name other than the one it listens on (a rebound name of somebody else's page).
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from simulator.admin import accounts, faults, operations, state, steering, timing
from simulator.admin.agenda import Agenda
from simulator.admin.context import ROUTES, Context, Verb, Wire
from simulator.admin.fields import BadField, Conflict, Fields, Missing
from simulator.admin.tape import serve_tape
from simulator.errors import VenueError

if TYPE_CHECKING:
    from simulator.venue import Venue

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VERBS = (accounts, faults, operations, state, steering, timing)
"""Modules whose import declares the routes."""
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_AGENDA_SECONDS = 0.02
_TAPED = "/admin/market/"
"""Verbs that change the market's course are part of what the tape can be replayed from."""

logger = logging.getLogger("simulator.admin")


class AdminServer:
    """Listens on the admin port of one venue. `shutdown` is set when an operator asks for the end."""

    def __init__(self, venue: Venue, wire: Wire) -> None:
        self._context = Context(venue, wire, Agenda())
        self._names: frozenset[str] = LOCAL_NAMES
        self._runner: web.AppRunner | None = None
        self._beat: asyncio.Task[None] | None = None

    @property
    def shutdown(self) -> asyncio.Event:
        """Set by `POST /admin/shutdown`."""
        return self._context.shutdown

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port (a free one for 0). Raises OSError when it is taken."""
        self._names = LOCAL_NAMES | {host}
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/admin/tape", self._tape)
        for method, path, function in ROUTES:
            app.router.add_route(method, path, self._handler(function))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        if not self._context.venue.config.speed.is_stepped:
            self._beat = asyncio.create_task(self._keep_agenda(), name="agenda")
        found: int = self._runner.addresses[0][1]
        return found

    async def stop(self) -> None:
        """Close everything."""
        self._context.shutdown.set()
        if self._beat is not None:
            self._beat.cancel()
            with suppress(asyncio.CancelledError):
                await self._beat
            self._beat = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _keep_agenda(self) -> None:
        while True:
            try:
                self._context.agenda.run_due(self._context.venue.clock.now_ms())
            except Exception:
                logger.exception("what an operator asked for at this time failed")
            await asyncio.sleep(_AGENDA_SECONDS)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who may ask, and how refusals read."""
        if "Origin" in request.headers or not self._is_own_name(request.headers.get("Host", "")):
            return _answer({"field": "Host", "reason": "the admin API answers local programs only"}, 403)
        try:
            return await handler(request)
        except BadField as error:
            return _answer({"field": error.field, "reason": error.reason}, 400)
        except VenueError as error:
            return _answer({"field": "", "reason": error.message, "code": error.code}, 400)
        except Missing as error:
            return _answer({"field": "", "reason": str(error)}, 404)
        except Conflict as error:
            return _answer({"field": "", "reason": str(error)}, 409)
        except web.HTTPException as error:
            return _answer({"field": "", "reason": error.reason}, error.status)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return _answer({"field": "", "reason": "the verb failed; the venue's log says why"}, 500)

    def _is_own_name(self, host: str) -> bool:
        with suppress(ValueError):
            return urlsplit(f"//{host}").hostname in self._names
        return False

    def _handler(self, function: Verb) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            fields = await _fields(request)
            found = function(self._context, fields)
            if inspect.isawaitable(found):
                found = await found
            if request.path.startswith(_TAPED):
                self._context.venue.tape.append("operator", verb=request.path, fields=fields.everything())
            return _answer(found)

        return handle

    async def _tape(self, request: web.Request) -> web.StreamResponse:
        return await serve_tape(self._context, await _fields(request), request)


async def _fields(request: web.Request) -> Fields:
    """Query, JSON body and the path's parts as one; a name in two of them is refused."""
    values: dict[str, object] = dict(request.query)
    if request.body_exists:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw.strip() else {}
        except (ValueError, RecursionError):
            raise BadField("body", "is not JSON") from None
        if not isinstance(body, dict):
            raise BadField("body", "must be a JSON object")
        values = _joined(values, body)
    return Fields(_joined(values, request.match_info))


def _joined(values: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    for name in more:
        if name in values:
            raise BadField(name, "is given twice")
    return {**values, **more}


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
