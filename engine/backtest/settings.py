"""What a backtest assumes of the venue, the account and the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from domain.errors import Refused
from domain.risk_manager import RiskLimits
from domain.sentences import say
from engine.backtest.futures import Futures
from engine.backtest.percent import to_ppm
from engine.backtest.queueing import Queue

#: Limits are compared with products of 64 bits.
LARGEST_LIMIT: Final = 2**61
FILL_MODELS: Final = ("touch", "through", "queue")
BAR_MODELS: Final = ("path", "next_bar")


@dataclass(frozen=True)
class Settings:
    """One backtest's assumptions; the result carries them.

    Bars (`bar_model`): *path* walks open, nearer extreme, other extreme, close; an order placed on the way may fill on
    the rest of it, and an order that would take is executed at the price there. *next_bar* lets orders of a bar act
    from the next one on and limit orders rest in any case, as most bar backtesters do.
    """

    #: What the instance owns at the start, in the quote and in the base asset.
    quote: Decimal = Decimal(10_000)
    base: Decimal = Decimal(0)
    #: Fees in percent of what is traded, and whether they come out of what is received or always out of the quote.
    maker_fee: Decimal = Decimal("0.1")
    taker_fee: Decimal = Decimal("0.1")
    fee_asset: Literal["received", "quote"] = "received"
    #: A limit order is filled whole when a trade touches its limit, or passes it; or it waits behind a `queue`, and a
    #: trade fills no more than its own quantity (of trades, not of bars).
    fill_model: Literal["touch", "through", "queue"] = "touch"
    queue: Queue | None = None
    bar_model: Literal["path", "next_bar"] = "path"
    #: From sending a request until the venue acts on it; what arrives within a bar does so at the next of its points.
    latency_ms: int = 0
    #: How much worse than the last price a taker is filled.
    slippage_ticks: int = 0
    limits: RiskLimits = field(default_factory=RiskLimits)
    #: A futures account instead of one on spot: positions may be short, and the quote asset is all there is.
    futures: Futures | None = None
    #: Keep every order and cancellation, not only the fills.
    log_orders: bool = False
    runtime: Literal["auto", "compiled", "interpreted"] = "auto"

    @property
    def most_leverage(self) -> int:
        """How many times the capital a position may be worth."""
        return 1 if self.futures is None else self.futures.leverage

    def __post_init__(self) -> None:
        if self.futures is not None:
            object.__setattr__(self, "fee_asset", "quote")
            if self.base:
                raise Refused(
                    say(
                        "futures_hold_quote_only",
                        "a futures account holds the quote asset alone; leave it at 0.",
                        field="base",
                    )
                )
        for name in ("quote", "base", "maker_fee", "taker_fee"):
            value = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise Refused(
                    say("amount_below_zero", "{value} is not an amount of zero or more.", value=value, field=name)
                )
        for name in ("maker_fee", "taker_fee"):
            if getattr(self, name) >= 100:
                raise Refused(
                    say(
                        "takes_everything",
                        "{value} % would take everything; give it in percent.",
                        value=getattr(self, name),
                        field=name,
                    )
                )
            to_ppm(name, getattr(self, name))
        for name, value in self.limits._asdict().items():
            if not 0 <= value < LARGEST_LIMIT:
                raise Refused(
                    say(
                        "limit_out_of_range",
                        "{name} is {value}; it must be from 0 to below {below}.",
                        name=name,
                        value=value,
                        below=LARGEST_LIMIT,
                        field="limits",
                    )
                )
        self._check_fills()
        if self.latency_ms < 0 or self.slippage_ticks < 0:
            raise Refused(say("latency_below_zero", "latency_ms and slippage_ticks: neither may be below zero."))

    def _check_fills(self) -> None:
        if self.fill_model not in FILL_MODELS or self.bar_model not in BAR_MODELS:
            raise Refused(
                say(
                    "no_such_models",
                    "fill_model {fill_model}, bar_model {bar_model}: there are {fills} and {bars}.",
                    fill_model=self.fill_model,
                    bar_model=self.bar_model,
                    fills=", ".join(FILL_MODELS),
                    bars=", ".join(BAR_MODELS),
                )
            )
        if self.fill_model == "queue" and self.queue is None:
            raise Refused(
                say(
                    "queue_says_nothing",
                    "say what stands in front of an order, as Queue(share_percent=...); Queue() is nothing.",
                    field="queue",
                )
            )
        if self.fill_model != "queue" and self.queue is not None:
            raise Refused(
                say(
                    "model_has_no_queue",
                    "an order waits behind none with fill_model {fill_model}; take queue.",
                    fill_model=self.fill_model,
                    field="queue",
                )
            )
