"""Sign and send, once; the answer, or proof of what is known about a request without one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp

from core.base_exchange import NOTHING_SENT, VenueSettings
from core.clock import Clock
from domain.errors import Transient, Unknown
from exchanges._ccxt.client import make_client
from exchanges._ccxt.scrub import scrub
from exchanges._ccxt.session import OnceSession
from exchanges._ccxt.trace import Answer, Trace, tracing

Result = TypeVar("Result")

# Raised by aiohttp while it connects, before a byte of the request is written.
_BEFORE_SENDING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class NotSent(Transient):
    """Nothing left this machine: the connection could not be made, or the request could not be signed."""


class Lost(Unknown):
    """The request left, or may have left, and no complete answer came back."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as ccxt names it: a section such as `private`, and a path in it."""

    section: str
    method: str
    path: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Guarded(Generic[Result]):
    """What a unified method gave, and the facts of its last request."""

    answer: Answer
    result: Result | None
    #: ccxt's complaint, scrubbed; empty when there is none.
    failure: str
    #: Names of the complaint's class and of those above it.
    kinds: frozenset[str]


class Door:
    """One account's way out to a venue."""

    def __init__(
        self, ccxt_id: str, settings: VenueSettings, clock: Clock, options: Mapping[str, Any] | None = None
    ) -> None:
        self._ccxt_id = ccxt_id
        self._options = options or {}
        self._settings = settings
        self._clock = clock
        self._session: OnceSession | None = None
        self._client: Any = None
        seconds = settings.timeout_seconds
        self._limits = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds, sock_read=seconds)
        #: Venue time less machine time, in milliseconds.
        self.offset_ms = 0

    @property
    def client(self) -> Any:
        """ccxt's client, for its unified methods; use it inside `guarded` only."""
        return self._client

    @property
    def session(self) -> OnceSession:
        """The HTTP session, also for WebSockets; there is one once the door is open."""
        if self._session is None:
            raise NotSent("the venue is not open yet; call open() first.")
        return self._session

    async def open(self) -> None:
        """Make the session; nothing is sent yet."""
        if self._session is None:
            self._session = OnceSession()
            self._client = make_client(self._ccxt_id, self._settings, self._session, self.venue_ms, self._options)

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            self._client.session = None
            await session.close()

    def venue_ms(self) -> int:
        """The venue's time now, as far as we know it."""
        return self._clock.machine.now_ms() + self.offset_ms

    def sign_text(self, text: str) -> tuple[str, str]:
        """The key, and the HMAC-SHA256 of `text` in hexadecimal: what the venue's WebSocket API wants."""
        credentials = self._settings.credentials
        if credentials is None:
            raise NotSent("this venue was opened without a key; private events need one.")
        secret = credentials.secret.get_secret_value().encode()
        return credentials.key.get_secret_value(), hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()

    async def call(self, request: Request, committed_ms: int | None = None) -> Answer:
        """The complete answer, whatever it says; `NotSent` or `Lost` when there is none.

        A request with `committed_ms` is signed with that machine time, however much later it goes out.
        ccxt signs; its own way of sending takes half as long again, and its verdicts are not asked.
        """
        left = False
        try:
            with tracing(Trace(self._signed_ms(committed_ms))):
                signed = self._client.sign(request.path, [request.section], request.method, dict(request.params))
            session, left = self.session, True
            return await session.send(signed["method"], signed["url"], signed["headers"], signed["body"], self._limits)
        except Exception as error:  # noqa: BLE001 - whatever it was, what counts is whether the request may have left
            raise self._no_answer(error, left=left) from None

    async def guarded(self, send: Callable[[], Awaitable[Result]], committed_ms: int | None = None) -> Guarded[Result]:
        """Run one of ccxt's unified methods and give its result, or its failure, beside the bare facts."""
        trace, result, failure = await self._traced(send, committed_ms)
        if trace.answer is None and (failure is not None or result is None):
            raise self._no_answer(failure, left=trace.left)
        words = "" if failure is None else self.scrub(f"{type(failure).__name__}: {failure}")
        kinds = frozenset(kind.__name__ for kind in type(failure).__mro__) if failure is not None else frozenset()
        return Guarded(trace.answer or Answer(0, {}, ""), result, words, kinds)

    def scrub(self, text: str) -> str:
        """The text, fit to be shown."""
        return scrub(text, self._settings.credentials)

    async def _traced(
        self, send: Callable[[], Awaitable[Result]], committed_ms: int | None
    ) -> tuple[Trace, Result | None, Exception | None]:
        with tracing(Trace(self._signed_ms(committed_ms))) as trace:
            try:
                return trace, await send(), None
            except Exception as error:  # noqa: BLE001 - whatever ccxt raises, the trace has the facts
                return trace, None, error

    def _signed_ms(self, committed_ms: int | None) -> int | None:
        return None if committed_ms is None else committed_ms + self.offset_ms

    def _no_answer(self, failure: Exception | None, *, left: bool) -> NotSent | Lost:
        causes = list(_chain(failure))
        # ccxt's own text carries the signed address; the cause below it does not.
        root = causes[-1] if causes else None
        words = self.scrub(f"{type(root).__name__}: {root}") if root else "no answer"
        if not left or any(isinstance(cause, _BEFORE_SENDING) for cause in causes):
            return NotSent(f"{NOTHING_SENT}: {words}")
        return Lost(f"no complete answer: {words}")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
