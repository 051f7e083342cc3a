"""What a strategy has learned. Chances, scores and shares are numbers; none of them is an amount."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.common import Answer, Moment, Told


class Part(Answer):
    """Base of what is read off the law's own records."""

    model_config = ConfigDict(from_attributes=True)


class Bin(Part):
    """Predictions between two chances."""

    low: float
    high: float
    count: int = Field(description="Labels that count; the oldest fade beyond 200.")
    predicted: float = Field(description="Mean of what was predicted.")
    won: float = Field(description="Share of them that won.")


class Term(Part):
    """A number that belongs to an input of the model."""

    input: str
    value: float


class ModelScore(Part):
    """One of the two models."""

    learned: int = Field(description="Labels it has learned from.")
    last_loss: float | None = Field(description="Mean log-loss in the last comparison; null before the first.")
    compared: int = Field(description="Labels of the comparison that is under way.")
    taken: int = Field(description="Trades on paper that it would have taken.")
    edge: float = Field(description="Their mean result after costs, as a share of what is traded.")
    edge_errors: float = Field(description="The same in standard errors.")
    calibration: list[Bin]
    weights: dict[str, list[Term]] = Field(description="By signal, the constant first.")


class SignalScore(Part):
    """One of the signals: its trades on paper."""

    name: str
    wins: int
    losses: int
    win: float = Field(description="What a win brings after costs, as a share of what is traded.")
    loss: float = Field(description="What a loss costs.")
    side: int = Field(description="Of the trade that is open on paper: 1 long, -1 short, 0 none.")
    chance: float | None = Field(description="Calibrated chance of the open trade.")


class Choice(Part):
    """The proposal that was chosen last, and why."""

    signal: str
    side: int
    time: Moment
    chance: float
    expected: float = Field(description="Expected result after costs, as a share of what is traded.")
    contributions: list[Term] = Field(description="What each input added to the score.")


class ModelCard(Part):
    """Everything that a strategy has learned."""

    waits: int = Field(description="Code of the reason why nothing is entered; 0 before it has begun.")
    labels: int = Field(description="Trades on paper that have ended.")
    promotions: int = Field(description="How often the challenger took over.")
    base_rate: float = Field(description="Share of wins of late; newer trades count more, and it begins at a half.")
    base_loss: float | None = Field(description="What predicting that share alone would have cost.")
    champion: ModelScore
    challenger: ModelScore
    signals: list[SignalScore]
    choice: Choice | None


class ModelAnswer(Answer):
    """What a strategy has learned, if it learns and was ever started."""

    strategy_id: int
    is_frozen: bool = Field(description="It trades by what it knows and learns no more.")
    waits_for: str = Field(description="Why nothing is entered, in words.")
    waits_for_words: Told
    card: ModelCard | None = Field(description="Null before the first start, and of strategies that do not learn.")
