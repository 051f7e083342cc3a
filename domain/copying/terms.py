"""What a follower has agreed to for one master: how much, of what, how far, until when. Integers only."""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.sentences import say

PPM: Final = 1_000_000
#: The range of an ordinary ratio; wider ones need the follower's explicit limit.
LEAST_RATIO_PPM: Final = 10_000
MOST_RATIO_PPM: Final = 1_000_000
#: No limit makes a ratio larger than this.
LARGEST_RATIO_PPM: Final = 100 * PPM

# Sizing modes.
FIXED_RATIO: Final = 0
EQUITY_PROPORTIONAL: Final = 1
FIXED_NOTIONAL: Final = 2
FRACTIONAL_KELLY: Final = 3
MODE_NAMES: Final = ("fixed_ratio", "equity_proportional", "fixed_notional", "fractional_kelly")

# What becomes of the positions when following ends.
KEEP: Final = 0
CLOSE: Final = 1
HAND_OVER: Final = 2
ON_STOP_NAMES: Final = ("keep", "close", "hand_over")

# Reasons why a target is what it is; the most telling one is shown.
COPIED: Final = 0
EXISTING: Final = 1
PAUSED: Final = 2
TOO_LATE: Final = 3
NOT_ALLOWED: Final = 4
STOP_LOSS: Final = 5
TAKE_PROFIT: Final = 6
ROUNDED: Final = 7
SYMBOL_CAP: Final = 8
RELATIONSHIP_CAP: Final = 9
ACCOUNT_CAP: Final = 10
LEVERAGE_CAP: Final = 11
NO_SHORT: Final = 12
SHORT_RECORD: Final = 13
NO_EDGE: Final = 14
ENDED: Final = 15
NO_EQUITY: Final = 16
WAITING: Final = 17
COLLAR: Final = 18
NO_PRICE: Final = 19
TOO_SMALL: Final = 20
DUST: Final = 21
ILLIQUID: Final = 22
REASON_NAMES: Final = (
    "copied", "existing_position", "paused", "too_late", "symbol_not_allowed", "stop_loss", "take_profit", "rounded",
    "symbol_cap", "relationship_cap", "account_cap", "leverage_cap", "no_short", "record_too_short", "no_edge",
    "ended", "equity_unknown", "waiting", "collar", "no_price", "too_small", "dust", "illiquid",
)  # fmt: skip
REASONS: Final = {
    COPIED: say("copy_copied", "The whole position of the master is copied."),
    EXISTING: say("copy_existing", "The master held this before following began, and only new positions are copied."),
    PAUSED: say("copy_paused", "Following is paused: what the master added meanwhile is not entered."),
    TOO_LATE: say("copy_too_late", "The master's entry was seen later than entries may be."),
    NOT_ALLOWED: say("copy_not_allowed", "This symbol is not among those that are copied."),
    STOP_LOSS: say(
        "copy_stop_loss",
        "The stop loss of the copied position was reached; it is entered again with the master's next one.",
    ),
    TAKE_PROFIT: say(
        "copy_take_profit",
        "The take profit of the copied position was reached; it is entered again with the master's next one.",
    ),
    ROUNDED: say("copy_rounded", "The part below one lot of the venue cannot be held."),
    SYMBOL_CAP: say("copy_symbol_cap", "The most that may be held of one symbol is reached."),
    RELATIONSHIP_CAP: say("copy_relationship_cap", "The most that may be held for this master is reached."),
    ACCOUNT_CAP: say("copy_account_cap", "The most that the account may hold for all of its masters is reached."),
    LEVERAGE_CAP: say("copy_leverage_cap", "The account's equity allows no more at its largest leverage."),
    NO_SHORT: say("copy_no_short", "The account cannot hold a short position here."),
    SHORT_RECORD: say("copy_short_record", "The master's record is too short to size by it."),
    NO_EDGE: say("copy_no_edge", "By its record the master has no edge, so nothing is staked."),
    ENDED: say("copy_ended", "Following has ended."),
    NO_EQUITY: say("copy_no_equity", "The equity that sizing needs is not known."),
    WAITING: say("copy_waiting", "The deliberate delay has not passed yet."),
    COLLAR: say("copy_collar", "The price is further from the master's than entries may pay."),
    NO_PRICE: say(
        "copy_no_price",
        "No price of this symbol is known yet, so its worth is not; it is entered as soon as there is one.",
    ),
    TOO_SMALL: say(
        "copy_too_small", "What is missing is below the venue's smallest order; it is traded when it is worth enough."
    ),
    ILLIQUID: say(
        "copy_illiquid",
        "Too little of this symbol is traded in a day for copies of it to be entered; exits always follow.",
    ),
    DUST: say(
        "copy_dust", "Fees were taken in the base asset, so less is held than was bought; the rest is below one lot."
    ),
}


class Terms(NamedTuple):
    """One relationship. Amounts in quote quanta, parts per million, milliseconds; 0 switches a limit off."""

    relationship: int
    mode: int = FIXED_RATIO
    ratio_ppm: int = PPM
    #: What the master's whole position is worth here, under `FIXED_NOTIONAL`.
    notional: int = 0
    #: Which part of the full Kelly stake is taken, under `FRACTIONAL_KELLY`.
    kelly_ppm: int = PPM // 4
    reverse: bool = False
    paused: bool = False
    #: Whether following goes on; when not, `on_stop` says what becomes of the positions.
    active: bool = True
    on_stop: int = KEEP
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    max_symbol_notional: int = 0
    max_notional: int = 0
    #: Notional over equity, in parts per million: 3x is 3,000,000.
    max_leverage_ppm: int = 0
    #: How far from the master's price an entry may trade.
    collar_ppm: int = 0
    #: How old an entry of the master may be when it is copied.
    max_delay_ms: int = 0
    #: How long everything waits on purpose.
    delay_ms: int = 0
    copy_existing: bool = False
    #: The master's version when following began: what is not newer existed before.
    since_version: int = 0
    #: Of one copied position, against its cost.
    stop_loss_ppm: int = 0
    take_profit_ppm: int = 0
    #: Of the relationship as a whole, in quote quanta.
    total_stop_loss: int = 0
    total_take_profit: int = 0
    #: Symbols of which too little is traded where this account is, whoever follows.
    illiquid: frozenset[str] = frozenset()
    #: What must have been traded of a symbol in a day for it to be entered, where the node asks for less.
    least_volume: int = 0

    def allows(self, symbol: str) -> bool:
        """Whether the symbol may be entered: denied ones never, and others only if they are listed or nothing is."""
        return symbol not in self.deny and (not self.allow or symbol in self.allow)
