"""Where in the memory of an instance what was learned lies. It depends on no parameter: an edit moves nothing."""

from __future__ import annotations

from typing import Final

#: Signals, each with weights of its own.
TREND: Final = 0
REVERSION: Final = 1
BREAKOUT: Final = 2
SURGE: Final = 3
SIGNALS: Final = ("trend", "reversion", "breakout", "surge")
GROUPS: Final = 4
#: What the model looks at; the first five are seen from the side that is proposed.
INPUTS_TOLD: Final = ("trend", "distance", "strength_index", "range_place", "last_change", "volatility", "volume")
INPUTS: Final = 7
BINS: Final = 10

# --- A model: its scores, the scale of its inputs, weights by signal (the first is the constant), calibration.
#: Labels learned from.
SEEN: Final = 0
#: Loss and labels of the comparison that is under way, and the mean loss of the last one.
LOSS: Final = 1
COMPARED: Final = 2
LAST_LOSS: Final = 3
#: Trades on paper that the model would have taken: how many, how many count, their mean result and its variance.
TAKEN: Final = 4
EDGE_COUNT: Final = 5
EDGE_MEAN: Final = 6
EDGE_VARIANCE: Final = 7
SCALED: Final = 8
MEANS: Final = 9
SPREADS: Final = MEANS + INPUTS
WEIGHTS: Final = SPREADS + INPUTS
WEIGHTS_EACH: Final = INPUTS + 1
CALIBRATION: Final = WEIGHTS + GROUPS * WEIGHTS_EACH
#: A bin: how many labels count, the mean of what was predicted, the share that won.
BIN_WIDTH: Final = 3
MODEL: Final = CALIBRATION + BINS * BIN_WIDTH

# --- The memory.
CHAMPION: Final = 0
CHALLENGER: Final = MODEL
#: Labels in all, and how often the challenger took over; share of wins, and its loss as a prediction.
LABELS: Final = 2 * MODEL
PROMOTIONS: Final = LABELS + 1
BASE_RATE: Final = LABELS + 2
BASE_LOSS: Final = LABELS + 3
LAST_BASE_LOSS: Final = LABELS + 4
#: The proposal that was chosen last: 1 + its signal, side, time, chance, expected result, contributions.
CHOSEN: Final = LABELS + 5
CHOSEN_SIDE: Final = CHOSEN + 1
CHOSEN_MS: Final = CHOSEN + 2
CHOSEN_CHANCE: Final = CHOSEN + 3
CHOSEN_VALUE: Final = CHOSEN + 4
CONTRIBUTIONS: Final = CHOSEN + 5
PAPER_AT: Final = CONTRIBUTIONS + WEIGHTS_EACH

# --- A trade on paper, one at a time for each signal. SIDE is 0 while there is none.
SIDE: Final = 0
ENTRY: Final = 1
AGE: Final = 2
#: The number of this trade among those of its signal.
SERIAL: Final = 3
#: What both models predicted, and whether they would have traded it.
CHANCE: Final = 4
CHALLENGER_CHANCE: Final = 5
TAKEN_BY: Final = 6
TAKEN_BY_CHALLENGER: Final = 7
#: Why the last one ended.
ENDED_BY: Final = 8
#: Of all of them: how many won and what a win brings, how many lost and what a loss costs.
WINS: Final = 9
WIN: Final = 10
LOSSES: Final = 11
LOSS_EACH: Final = 12
SEEN_INPUTS: Final = 13
PAPER: Final = SEEN_INPUTS + INPUTS

SIGNALS_AT: Final = PAPER_AT + GROUPS * PAPER
