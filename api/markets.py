"""What a run wants of its history, and whether the history has it."""

from __future__ import annotations

from typing import Final, NamedTuple

from api.errors import BadFields, FieldError
from api.schemas.run import BacktestCreate, MemberCreate, OptimisationCreate
from core.base_jobs import Assumptions, Period
from db.queries import histories
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork

#: The bars of a history of trades.
TRADES_MS: Final = 1


class Market(NamedTuple):
    """Bars or trades that a run asks for; fields are named behind `prefix`."""

    history_id: int
    period: Period
    assumptions: Assumptions
    prefix: str

    @classmethod
    def of(cls, body: BacktestCreate | MemberCreate | OptimisationCreate, prefix: str = "") -> Market:
        """What is asked for in a body."""
        return cls(body.history_id, body.period, body.assumptions, prefix)

    def check(self, unit: UnitOfWork, owner: int) -> None:
        """`BadFields` when the owner has no such history, or it cannot be walked as was asked."""
        try:
            row = histories.usable(unit, self.history_id, owner)
        except NoSuchRow as error:
            raise BadFields([FieldError(f"{self.prefix}history_id", str(error))]) from error
        if wrong := self._wrong(row.bar_ms == TRADES_MS):
            field, reason = wrong
            raise BadFields([FieldError(f"{self.prefix}{field}", reason)])

    def _wrong(self, is_trades: bool) -> tuple[str, str] | None:
        """The field, and why."""
        walks, assumed = self.period.walk_trades, self.assumptions
        is_longer = self.period.bar_ms not in (None, TRADES_MS)
        if walks and not is_trades:
            return "period.walk_trades", "this history is made of bars; take one of trades"
        if assumed.fill_model == "queue" and not is_trades:
            return "assumptions.fill_model", "bars do not tell what was traded at which price; take a history of trades"
        if assumed.fill_model == "queue" and is_longer and not walks:
            return "period.walk_trades", "a queue moves trade by trade; walk the trades within the bars"
        if walks and assumed.bar_model != "path":
            return "assumptions.bar_model", "it is a way to read bars; where trades are walked, leave it at path"
        return None
