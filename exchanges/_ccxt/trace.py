"""What truly happened to one request: whether it left, and the venue's own words, status and headers first.

ccxt folds all of this into classes of exceptions that name several cases wrongly (a cut body is final, an empty one
is success), so the facts are taken down where they happen. They travel in context variables: two requests that are
under way at once never see each other's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple


class Answer(NamedTuple):
    """A complete HTTP answer, whatever it says."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class Trace:
    """One request as it went."""

    #: Venue time to sign with in ms; None signs with the time of sending.
    signed_ms: int | None = None
    #: Whether it was handed to the network.
    left: bool = False
    answer: Answer | None = None


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of the request that this task is making."""
    return _CURRENT.get()


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Take down what happens inside the block."""
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)
