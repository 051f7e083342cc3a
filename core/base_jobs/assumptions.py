"""What a backtest assumes of the venue and the account, and which part of a history it takes."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from domain.sentences import say


class TierTerms(BaseModel):
    """A tier of maintenance margin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    up_to: Decimal = Field(title="Up to", description="Worth of the position, in the quote asset.", gt=0)
    maintenance_percent: Decimal = Field(title="Maintenance margin", description="In percent.", ge=0, lt=100)
    leverage: int = Field(125, title="Highest leverage", ge=1, le=125)


class FundingTerms(BaseModel):
    """One recorded funding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_ms: int = Field(title="Time", description="In milliseconds since 1970.", ge=0, lt=2**53)
    rate: Decimal = Field(title="Rate", description="Share of the position's worth.", ge=-1, le=1)
    mark: Decimal | None = Field(None, title="Mark price", description="The last price when left out.", gt=0)


class FuturesTerms(BaseModel):
    """A futures account: isolated margin on one symbol."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leverage: int = Field(1, title="Leverage", ge=1, le=125)
    maintenance_percent: Decimal = Field(
        Decimal("0.4"), title="Maintenance margin", description="In percent, where there are no tiers.", ge=0, lt=100
    )
    tiers: tuple[TierTerms, ...] = Field((), title="Tiers", description="Smallest first.", max_length=50)
    liquidation_fee_percent: Decimal = Field(
        Decimal("1.25"), title="Liquidation fee", description="In percent.", ge=0, lt=100
    )
    funding_percent: Decimal = Field(
        Decimal("0.01"), title="Funding rate", description="In percent, where none is recorded.", ge=-100, le=100
    )
    funding_hours: int = Field(8, title="Hours between fundings", ge=1, le=24)
    funding_rates: tuple[FundingTerms, ...] = Field(
        (), title="Recorded fundings", description="Oldest first.", max_length=5_000
    )

    @field_validator("tiers")
    @classmethod
    def _check_tiers(cls, tiers: tuple[TierTerms, ...], info: ValidationInfo) -> tuple[TierTerms, ...]:
        for before, after in pairwise(tiers):
            if after.up_to <= before.up_to or after.maintenance_percent < before.maintenance_percent:
                raise ValueError(
                    say("tiers_not_rising", "each must reach further than the one before, and keep no less margin")
                )
        leverage = info.data.get("leverage", 1)
        if tiers and leverage > tiers[0].leverage:
            raise ValueError(
                say(
                    "leverage_above_first_tier",
                    "leverage {leverage} is more than the first tier allows",
                    leverage=leverage,
                )
            )
        if tiers and tiers[0].maintenance_percent * leverage >= 100:
            raise ValueError(
                say(
                    "leverage_below_tier_margin",
                    "leverage {leverage} opens with less margin than the first tier keeps",
                    leverage=leverage,
                )
            )
        return tiers

    @field_validator("funding_rates")
    @classmethod
    def _check_fundings(cls, rates: tuple[FundingTerms, ...]) -> tuple[FundingTerms, ...]:
        if any(after.time_ms <= before.time_ms for before, after in pairwise(rates)):
            raise ValueError(say("not_in_order_of_time", "each must be later than the one before"))
        return rates

    @field_validator("funding_hours")
    @classmethod
    def _check_day(cls, hours: int) -> int:
        if 24 % hours:
            raise ValueError(say("hours_divide_a_day", "it does not divide a day; take 1, 2, 3, 4, 6, 8, 12 or 24"))
        return hours

    @field_validator("maintenance_percent")
    @classmethod
    def _check_margin(cls, percent: Decimal, info: ValidationInfo) -> Decimal:
        leverage = info.data.get("leverage", 1)
        if percent * leverage >= 100:
            raise ValueError(
                say(
                    "leverage_below_margin",
                    "leverage {leverage} opens with less margin than this; lower one of the two",
                    leverage=leverage,
                )
            )
        return percent


class QueueTerms(BaseModel):
    """What stands in front of an order that begins to rest, where the market is its trades."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ahead: Decimal = Field(Decimal(0), title="In front", description="In the base asset.", ge=0)
    share_percent: Decimal = Field(
        Decimal(0), title="Share in front", description="In percent of what was traded just before.", ge=0, le=10_000
    )
    share_ms: int = Field(60_000, title="Traded within", description="In milliseconds.", ge=1, le=86_400_000)
    cancelled_percent: Decimal = Field(
        Decimal(0), title="Cancelled", description="In percent of what is traded at the price.", ge=0, le=10_000
    )
    whole_beyond: bool = Field(
        False, title="Whole beyond", description="A trade beyond the price of an order executes all of it."
    )
    cancellations: Literal["behind", "shared", "ahead"] = Field(
        "behind", title="Who cancels", description="Where the book was recorded: who of a price cancels."
    )


class Assumptions(BaseModel):
    """What is assumed of the venue and the account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quote: Decimal = Field(Decimal(10_000), title="Capital", description="In the quote asset.", ge=0)
    base: Decimal = Field(Decimal(0), title="Capital in base", description="In the base asset.", ge=0)
    maker_fee: Decimal = Field(Decimal("0.1"), title="Maker fee", description="In percent.", ge=0, lt=100)
    taker_fee: Decimal = Field(Decimal("0.1"), title="Taker fee", description="In percent.", ge=0, lt=100)
    fee_asset: Literal["received", "quote"] = Field("received", title="Fee asset")
    fill_model: Literal["touch", "through", "queue"] = Field(
        "touch", title="Fill model", description="A queue is of histories of trades, and wants its terms."
    )
    queue: QueueTerms | None = Field(None, title="Queue", validate_default=True)
    bar_model: Literal["path", "next_bar"] = Field("path", title="How bars are read")
    latency_ms: int = Field(0, title="Latency", description="In milliseconds.", ge=0, le=3_600_000)
    slippage_ticks: int = Field(0, title="Slippage of takers", description="In ticks.", ge=0, le=1_000_000)
    futures: FuturesTerms | None = Field(
        None, title="Futures", description="A futures account instead of one on spot; fees are then in the quote asset."
    )
    runtime: Literal["auto", "compiled", "interpreted"] = Field("auto", title="Runtime")

    @field_validator("queue")
    @classmethod
    def _check_queue(cls, queue: QueueTerms | None, info: ValidationInfo) -> QueueTerms | None:
        model = info.data.get("fill_model", "touch")
        if queue is None and model == "queue":
            raise ValueError(
                say("nothing_in_front", "say what stands in front of an order; {{}} is the front of the queue")
            )
        if queue is not None and model != "queue":
            raise ValueError(
                say(
                    "no_queue_with_model", "an order waits behind none with fill_model {model}; take queue", model=model
                )
            )
        return queue

    @field_validator("bar_model")
    @classmethod
    def _check_bars(cls, model: str, info: ValidationInfo) -> str:
        if model != "path" and info.data.get("fill_model") == "queue":
            raise ValueError(
                say("bar_model_on_trades", "it is a way to read bars; where trades are walked, leave it at path")
            )
        return model


class Period(BaseModel):
    """Which bars of a history: all of them, as long as they are kept, where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime | None = Field(None, title="From", description="Bars that open at this moment or later.")
    until: AwareDatetime | None = Field(None, title="To", description="Bars that open before this moment.")
    bar_ms: int | None = Field(
        None, title="Bar length", description="In milliseconds; a multiple of the history's.", ge=1, le=31 * 86_400_000
    )

    walk_trades: bool = Field(
        False,
        title="Walk the trades",
        description="Of trades: within a bar made of them the price goes from one to one.",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Period:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(say("end_before_beginning", "the end is not later than the beginning"))
        if self.walk_trades and self.bar_ms is None:
            raise ValueError(
                say("walk_needs_bars", "trades are walked within bars made of them: give the length of the bars")
            )
        return self
