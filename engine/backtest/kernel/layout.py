"""Where the kernel keeps what: one flat array of integers, `cells`, and the log.

First come scalars, then what the venue and the risk rules hold, then the orders, one per slot, then lists of slots.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from domain.risk_manager import RULES, too_many_open_orders

#: A flat array of integers: a list when interpreted, int64 when compiled.
Cells = Any


class Tape(NamedTuple):
    """The market as its trades: what `kernel.tape` walks row by row, a column each, and what is known beside them."""

    #: When, at which price, and how much.
    times: Cells
    ticks: Cells
    lots: Cells
    #: Of every block of rows the lowest and the highest price that something may meet, each in `MARK_WIDTH` numbers.
    marks: Cells
    #: Where the rows of each bar begin and end; nothing where every row is a bar.
    begins: Cells
    ends: Cells
    #: What was traded before each row and after the last, where a queue is a share of it.
    traded: Cells
    #: Where a book was recorded: what each row is, as `kernel.queue` names it, the state of the book that it met, and
    #: that book.
    kinds: Cells
    states: Cells
    book: Cells


# --- Scalars.
NOW: Final = 0
LAST: Final = 1
QUOTE: Final = 2
BASE: Final = 3
LOCKED_QUOTE: Final = 4
#: Base quanta held, and their average cost, every fee in base counted as a sale.
POSITION: Final = 5
COST: Final = 6
REALISED: Final = 7
FEES: Final = 8
#: The cost as the instance counts it: a fee in base makes the rest dearer.
LAW_COST: Final = 9
FEE_QUOTE: Final = 10
FEE_BASE: Final = 11
#: When the day ends whose results are counted.
DAY_ENDS: Final = 12
DAY_RESULT: Final = 13
DAY_TRADES: Final = 14
LOSSES_IN_A_ROW: Final = 15
LAST_LOSS: Final = 16
OPEN_ORDERS: Final = 17
OPEN_BUY: Final = 18
OPEN_SELL: Final = 19
REJECTIONS: Final = 20
#: The nearest resting orders above and below the price, and their slots: the last of their lines.
UP: Final = 21
UP_SLOT: Final = 22
DOWN: Final = 23
DOWN_SLOT: Final = 24
#: The level that has woken the strategy and does so again only in the next bar.
UP_WOKEN: Final = 25
DOWN_WOKEN: Final = 26
#: How many: slots held back by a rule, rows of the log, events to tell, orders to send, cancellations to send,
#: both on their way, orders that rest from the next bar on.
HELD_BACK_SLOTS: Final = 27
FILLS: Final = 28
ORDERS: Final = 29
QUEUED: Final = 30
SENDS: Final = 31
CANCELS: Final = 32
WAITING: Final = 33
JOINING: Final = 34
#: Where the replay stands: the bar, the stage of it, and when an order that wants a price now can have one.
PLACE: Final = 35
STAGE: Final = 36
MOMENT: Final = 37
#: Events told in this bar.
STEPS: Final = 38
TROUBLE: Final = 39
RING_AT: Final = 40
# Figures of the result.
TURNOVER: Final = 41
MAKER_FILLS: Final = 42
WINS: Final = 43
LOSSES: Final = 44
GAINED: Final = 45
LOST: Final = 46
HELD_SINCE: Final = 47
HELD_MS: Final = 48
REFUSALS: Final = 49
HOLDS: Final = 50
#: 1 before the strategy has been started.
IS_NEW: Final = 51
EXIT_REJECTIONS: Final = 52
# A futures account. Notional of working orders that may open something; quanta that back the position.
BIDS: Final = 53
ASKS: Final = 54
MARGIN: Final = 55
#: The prices at which the position is liquidated: FAR above and 0 below are none.
LIQUIDATED_ABOVE: Final = 56
LIQUIDATED_BELOW: Final = 57
#: Funding received less paid, rows of it in the log, and which is next.
FUNDING: Final = 58
FUNDINGS: Final = 59
NEXT_FUNDING: Final = 60
#: When the position was liquidated, 0 for not, and the fee of it.
LIQUIDATED_MS: Final = 61
LIQUIDATION_FEE: Final = 62
#: 1 when orders may rest that have nothing left to reduce.
UNTIDY: Final = 63

# --- What the venue holds.
TICK_LOT: Final = 64
BASE_PER_LOT: Final = 65
MIN_NOTIONAL: Final = 66
MIN_LOTS: Final = 67
MAX_LOTS: Final = 68
MAKER_PPM: Final = 69
TAKER_PPM: Final = 70
FEE_ASSET: Final = 71
FILL_MODEL: Final = 72
BAR_MODEL: Final = 73
BAR_MS: Final = 74
LATENCY_MS: Final = 75
SLIPPAGE: Final = 76
WANTS_BARS: Final = 77
IS_MARGIN: Final = 78
# Sizes and places of what comes after the orders.
SLOTS: Final = 79
UPS_AT: Final = 80
DOWNS_AT: Final = 81
SENDS_AT: Final = 82
CANCELS_AT: Final = 83
WAITING_AT: Final = 84
JOINING_AT: Final = 85
RING_START: Final = 86
RING_SIZE: Final = 87
QUEUE_AT: Final = 88
QUEUE_ROWS: Final = 89
#: Rows that the log has room for; fills first, orders behind them. No room for orders: none are logged.
FILL_ROOM: Final = 90
ORDER_ROOM: Final = 91
#: The risk limits, in the order of `RiskLimits`.
LIMITS: Final = 96
# What a futures venue holds: its terms, tiers of maintenance margin, and what funding is paid when.
LEVERAGE: Final = 112
LIQUIDATION_PPM: Final = 113
#: Twice the highest price of the history.
TOP_TICKS: Final = 114
#: The largest notional that may be opened.
LARGEST_NOTIONAL: Final = 115
TIERS_AT: Final = 116
TIERS: Final = 117
FUNDINGS_AT: Final = 118
FUNDINGS_KNOWN: Final = 119

#: How many rows the tape has, and 1 when each of them is a bar.
ROWS: Final = 120
IS_EACH_A_BAR: Final = 121
# What stands in front of an order that begins to rest: lots, and parts per million of what was traded in so many
# milliseconds before.
AHEAD_LEAST: Final = 122
AHEAD_PPM: Final = 123
AHEAD_MS: Final = 124

# The market as its trades: the next row of the tape, which trade it is, and what of it is left for us.
ROW: Final = 128
TRADE: Final = 129
LEFT: Final = 130
#: The last row that has happened before who comes now, -1 for none; lots cancelled for a million that are traded.
KNOWN: Final = 131
CANCELLED_PPM: Final = 132
#: Where it is kept what the queue knows of every slot, and how many orders have come.
STANDS_AT: Final = 133
CAME_LAST: Final = 134
#: 1 when a trade beyond the price of an order executes all of it, whatever the trade's own quantity.
WHOLE_BEYOND: Final = 135

# Slots of the resting orders above and below the price, the nearest last: where such a line begins, then its length.
UP_LINE: Final = 136
DOWN_LINE: Final = 138
#: How many prices four bars have, and how far behind their lows the highs lie, behind those the closes, then the opens.
FOUR_WIDTH: Final = 140
COLUMN: Final = 141
#: 1 when each bar opens where one has closed, and when the first one does; 1 when there are other risk limits than the
#: few that need neither the position nor what works: see `wishes.vet`.
IS_EVEN: Final = 145
FIRST_MS: Final = 146
IS_LIMITED: Final = 142
#: Where among the prices of bars those of blocks of them begin.
BLOCKS_AT: Final = 92
#: A third of a bar, which each of its legs takes.
THIRD_MS: Final = 93

# A recorded book: how many states it has had (0: none is known), where they lie in it, where its levels do and
# how many of them are bids' and how many there are; the state that it is in, its best prices, who of it cancels.
STATES: Final = 147
STATES_AT: Final = 148
LEVELS_AT: Final = 149
BID_LEVELS: Final = 150
LEVELS: Final = 151
STATE_NOW: Final = 152
BID_NOW: Final = 153
ASK_NOW: Final = 154
CANCELLATIONS: Final = 155
#: Where a list of slots is whose orders take from the book now, and its length.
TAKERS_AT: Final = 156
TAKERS: Final = 157
#: What the row of the tape is that happens now, and its quantity.
KIND: Final = 158
LOTS_NOW: Final = 159

# --- One order per slot: `cells[ORDERS_AT + slot * ORDER + field]`.
ORDERS_AT: Final = 160
#: As in `domain.order`; NO_ORDER before the slot's first.
STATUS: Final = 0
SIDE: Final = 1
TYPE: Final = 2
TICKS: Final = 3
LOTS: Final = 4
FILLED: Final = 5
CYCLE: Final = 6
LEG: Final = 7
ATTEMPT: Final = 8
REASON: Final = 9
#: Lots in front of it, for the queue model.
AHEAD: Final = 10
#: When what is on its way arrives: the order, and its cancellation (0: none was sent).
ARRIVES: Final = 11
CANCEL_ARRIVES: Final = 12
#: 1 + the rule that holds the slot's wish back; 0 when none does.
HELD_BACK: Final = 13
#: 1 when it rests in the book of the venue; JOINS when the slot is among those whose orders do from the next bar on.
RESTS: Final = 14
JOINS: Final = 2
#: The price that a market order is counted at until it ends.
LOCKED_TICKS: Final = 15
ORDER: Final = 16
NO_ORDER: Final = -1

# --- Floats: `gauge[...]`. Equity at every close, its highest, its deepest fall.
PEAK: Final = 0
FALL: Final = 1
#: Quote quanta that one base quantum is worth at a price of one tick.
UNIT: Final = 2
GAUGE: Final = 4

# --- Moments.
BETWEEN: Final = 0
AT_OPEN: Final = 1
WITHIN: Final = 2

# --- Troubles.
FINE: Final = 0
ENDLESS: Final = 1
NO_ROOM: Final = 2
TROUBLE_TEXTS: Final = {
    ENDLESS: "the strategy acts without end within one bar",
    NO_ROOM: "more happened within one bar than there is room for",
}
#: Steps within one bar after which a strategy counts as endless.
MOST_STEPS: Final = 20_000
#: Rows that the log keeps free before a bar begins.
SPARE_ROWS: Final = 2_048
#: The verdict that an order waits for room among the open ones.
TOO_MANY_OPEN: Final = 1 + RULES.index(too_many_open_orders)
#: Beyond every price.
FAR: Final = 1 << 62

# --- A row of the log of fills, of orders, and of the queue.
FILL_FIELDS: Final = (
    "time_ms", "slot", "cycle", "leg", "attempt", "side", "ticks", "lots", "fee", "fee_in_base", "maker", "reason",
    "realised", "quote", "base",
)  # fmt: skip
FILL_WIDTH: Final = 15
ORDER_FIELDS: Final = (
    "time_ms", "slot", "cycle", "leg", "attempt", "side", "type", "ticks", "lots", "reason", "cancel",
)  # fmt: skip
ORDER_WIDTH: Final = 11
EVENT_WIDTH: Final = 9
#: Rows of the log of fills that belong to no slot's order.
OF_LIQUIDATION: Final = -1
OF_FUNDING: Final = -2
#: A tier: up to which notional, its rate in parts per million, and what is taken off for the tiers below it.
TIER_WIDTH: Final = 3
#: A funding: when, the rate in `RATE_PARTS`, and quote quanta that a lot is worth then; 0 for the last price.
FUNDING_WIDTH: Final = 3
RATE_PARTS: Final = 100_000_000

# --- Bars are kept by fours, and looked at by eights, which are a block; so are blocks. See `kernel.lanes`.
FOUR_BITS: Final = 2
FOUR: Final = 1 << FOUR_BITS
LANE_BITS: Final = 3
LANES: Final = 1 << LANE_BITS
#: Prices below this are kept in 32 bits.
NARROW: Final = 2**31 - 1
#: What floats are not sure of, as a part of what was added up; and where no price is as high any more.
UNSURE: Final = 2.0**-48
FARTHEST: Final = 2.0**62

# --- What is known of every block of bars: the lowest low, the highest high, the lowest and the highest close. Of a
# block of the tape's rows the first two are looked at.
BLOCK: Final = 16
MARK_WIDTH: Final = 4

# --- Whose fee, and how bars are read.
FEE_OF_RECEIVED: Final = 0
FEE_IN_QUOTE: Final = 1
PATH: Final = 0
NEXT_BAR: Final = 1
