"""What a venue may tell of funding beside what an account was paid; see `core.base_exchange.TellsFunding` for that."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from domain.funding import FundingRate


@runtime_checkable
class TellsFundingRates(Protocol):
    """A venue that lists what funding it has charged on a symbol, whoever held it."""

    async def funding_rates(self, symbol: str, since_ms: int) -> list[FundingRate]:
        """Every funding from a time on, oldest first; none on spot. Raises what reads raise."""
