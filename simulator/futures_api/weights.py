"""Request weights that depend on parameters; a malformed one counts as the default, its refusal comes later."""

from __future__ import annotations

from collections.abc import Callable

from simulator.wire.params import Params


def number(params: Params, name: str, default: int) -> int:
    """A whole number as it was sent, without judging it."""
    text = params.peek(name)
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default


def by_symbol(one: int, every: int) -> Callable[[Params], int]:
    """One weight with a symbol, another without."""

    def weight(params: Params) -> int:
        return one if params.peek("symbol") else every

    return weight


def by_depth(params: Params) -> int:
    """Weight of depth by its limit."""
    limit = number(params, "limit", 500)
    if limit <= 50:
        return 2
    if limit <= 100:
        return 5
    return 10 if limit <= 500 else 20


def by_bars(params: Params) -> int:
    """Weight of any kline query by its limit."""
    limit = number(params, "limit", 500)
    if limit < 100:
        return 1
    if limit < 500:
        return 2
    return 5 if limit <= 1000 else 10
