"""Requests to the venue: reads that raise what the caller may do next, and the clock that signs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from core.base_exchange import READ, KeyRefused, VenueSettings
from core.clock import Clock
from domain.errors import Broken, Refused, Transient
from domain.outcome import Outcome, Rejected, Unknown
from domain.sentences import say
from exchanges._binance.dialect import Dialect
from exchanges._binance.outcomes import (
    CLOCK_CODES,
    KEY_CODES,
    UNKNOWN_CODES,
    code_of,
    decode,
    write_outcome,
)
from exchanges._ccxt import Answer, Door, Lost, NotSent, Request

Typed = TypeVar("Typed")
_USED_WEIGHT = "x-mbx-used-weight-1m"
_ORDER_COUNTS = {"x-mbx-order-count-10s": 10_000, "x-mbx-order-count-1m": 60_000, "x-mbx-order-count-1d": 86_400_000}
#: The error of a measured clock is half the time its answer took: more is worse than none.
_WORST_HALF_MS = 300
#: How often it is asked again at first, until an answer is quick enough.
_MEASURES = 3
#: How long to be silent after a 429 or 418 that does not say.
_DEFAULT_PAUSE_MS = 60_000


class VenueRefusal(Refused):
    """The venue refused a read."""

    def __init__(self, number: int | None, words: str) -> None:
        super().__init__(words)
        #: The venue's error code, where it gave one.
        self.number = number


class BinanceRest:
    """One account's requests."""

    def __init__(self, dialect: Dialect, settings: VenueSettings, clock: Clock) -> None:
        self.dialect = dialect
        self.door = Door(dialect.ccxt_id, settings, clock)
        self._settings = settings
        self._clock = clock
        self._is_measured = False

    async def write(self, request: Request, committed_ms: int | None, echo: Mapping[str, str]) -> Outcome:
        """Send once and judge; never raises for anything the network or the venue does."""
        outcome, _ = await self.judged(request, committed_ms, echo)
        return outcome

    async def judged(self, request: Request, committed_ms: int | None, echo: Mapping[str, str]) -> tuple[Outcome, Any]:
        """The same with the body of the answer; None where there is none, or it is not JSON."""
        answer = await self.send(request, committed_ms)
        if not isinstance(answer, Answer):
            return answer, None
        body = decode(answer)
        if code_of(body) in CLOCK_CODES:
            await self._measure_quietly()
        return write_outcome(answer, body, echo), body

    async def send(self, request: Request, committed_ms: int | None) -> Answer | Rejected | Unknown:
        """The bare answer of a write, or its outcome where there is none."""
        try:
            answer = await self.door.call(request, committed_ms)
        except NotSent as error:
            return Rejected(str(error))
        except Lost as error:
            return Unknown(str(error))
        await self._heed(answer)
        return answer

    async def read(self, section: str, path: str, params: Mapping[str, Any], weight: int, method: str = "GET") -> Any:
        """The JSON of a read. `Transient`: ask again. `KeyRefused`, `VenueRefusal`: the key or the request is wrong."""
        answer = await self._ask(section, path, params, weight, method)
        body = decode(answer)
        await self._refuse(path, answer, body)
        return body

    async def typed(
        self, section: str, path: str, params: Mapping[str, Any], weight: int, decoder: msgspec.json.Decoder[Typed]
    ) -> Typed:
        """The same, read into a type at once: for answers that are long."""
        answer = await self._ask(section, path, params, weight, "GET")
        if answer.status == 200:
            with suppress(msgspec.MsgspecError):
                return decoder.decode(answer.body)
        await self._refuse(path, answer, decode(answer))
        raise Transient(say("senseless_answer", "{path}: the answer is not what it should be.", path=path))

    async def _ask(self, section: str, path: str, params: Mapping[str, Any], weight: int, method: str) -> Answer:
        if self._settings.budget is not None:
            await self._settings.budget.take(weight, READ)
        try:
            answer = await self.door.call(Request(section, method, path, params))
        except Lost as error:
            raise Transient(f"{path}: {error}") from None
        await self._heed(answer)
        return answer

    async def rows(self, section: str, path: str, params: Mapping[str, Any], weight: int) -> Sequence[Any]:
        """The same for a list."""
        body = await self.read(section, path, params, weight)
        if not isinstance(body, list):
            raise Transient(say("answer_is_no_list", "{path}: the answer should be a list.", path=path))
        return body

    async def measure_clock(self) -> None:
        """Compare the clocks; the middle of the request is taken as the moment the venue read its own.

        A slow answer says less about the clock than what is known already; while nothing is known it is asked again.
        """
        half_ms, offset_ms = await self._one_measure()
        for _ in range(0 if self._is_measured else _MEASURES):
            if half_ms <= _WORST_HALF_MS:
                break
            half_ms, offset_ms = min((half_ms, offset_ms), await self._one_measure())
        if self._is_measured and half_ms > _WORST_HALF_MS:
            return
        self._is_measured, self.door.offset_ms = True, offset_ms

    async def _one_measure(self) -> tuple[int, int]:
        """Half the time that an answer took, and by how much the venue's clock is ahead, in ms."""
        before = self._clock.machine.steady_ns()
        body = await self.read(self.dialect.public, "time", {}, 1)
        if not isinstance(body, dict) or not isinstance(body.get("serverTime"), int):
            raise Broken(say("venue_time_unreadable", "the venue's time is not a number."))
        half_ms = (self._clock.machine.steady_ns() - before) // 2_000_000
        return half_ms, body["serverTime"] + half_ms - self._clock.machine.now_ms()

    async def _measure_quietly(self) -> None:
        try:
            await self.measure_clock()
        except (Transient, Refused):
            return  # the next signed request will be refused again, and measured again

    async def _refuse(self, path: str, answer: Answer, body: Any) -> None:
        code = code_of(body)
        if code is None and answer.status == 200 and body is not None:
            return
        words = self.door.scrub(f"{path}: HTTP {answer.status} {code or ''} {_message(body)}".strip())
        if code in CLOCK_CODES:
            await self._measure_quietly()
            raise Transient(words)
        if answer.status >= 500 or answer.status in {418, 429} or code in UNKNOWN_CODES or code == -1003:
            raise Transient(words)
        if code in KEY_CODES:
            raise KeyRefused(
                say("key_revoked", "{words}: the key was revoked, or is not allowed from this address.", words=words)
            )
        if code is not None:
            raise VenueRefusal(code, words)
        raise Transient(say("something_between", "{words}: something in between has answered.", words=words))

    async def _heed(self, answer: Answer) -> None:
        """Follow what the venue says of limits."""
        if self._settings.pace is not None:
            for name, window_ms in _ORDER_COUNTS.items():
                if (count := answer.headers.get(name, "")).isdigit():
                    self._settings.pace.note_used(window_ms, int(count))
        budget = self._settings.budget
        if budget is None:
            return
        used = answer.headers.get(_USED_WEIGHT, "")
        if used.isdigit():
            budget.note_used(int(used))
        if answer.status in {418, 429}:
            wait = answer.headers.get("retry-after", "")
            pause_ms = int(wait) * 1000 if wait.isdigit() else _DEFAULT_PAUSE_MS
            await budget.pause(pause_ms, banned=answer.status == 418)


def _message(body: Any) -> str:
    return str(body.get("msg", "")) if isinstance(body, Mapping) else ""
