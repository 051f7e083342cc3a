"""Options of a futures account, as verbs about the past have them in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from domain.errors import Refused

Leverage = Annotated[int, typer.Option(help="A futures account with this leverage; 0 is spot.")]
Maintenance = Annotated[str, typer.Option(help="Futures: maintenance margin in percent.")]
Tiers = Annotated[Path | None, typer.Option(help="Futures: the venue's leverage brackets instead, as JSON.")]
LiquidationFee = Annotated[str, typer.Option(help="Futures: fee of a liquidation in percent.")]
FundingRate = Annotated[str, typer.Option(help="Futures: percent paid at every funding.")]
FundingHours = Annotated[int, typer.Option(help="Futures: hours between fundings.")]
Funding = Annotated[Path | None, typer.Option(help="Futures: recorded rates instead, a CSV of symbol,time,value.")]
Marks = Annotated[Path | None, typer.Option(help="Futures: mark prices of those fundings, such a CSV.")]


class Given(NamedTuple):
    """What was given of them, in the words of the command line."""

    leverage: int
    maintenance: str
    liquidation_fee: str
    funding_rate: str
    funding_hours: int
    funding: Path | None
    marks: Path | None
    tiers: Path | None = None

    def terms(self, symbol: str) -> dict[str, Any] | None:
        """Fields of `core.base_jobs.FuturesTerms`, recorded rates of a symbol with them; None is an account on spot."""
        from engine.backtest.brackets import read_tiers
        from engine.backtest.futures import read_funding

        if not self.leverage:
            if self.funding or self.marks or self.tiers:
                raise Refused("--tiers, --funding and --marks are of futures; give --leverage too.")
            return None
        if self.marks is not None and self.funding is None:
            raise Refused("--marks are mark prices of recorded fundings; give --funding too.")
        rates = read_funding(self.funding, symbol, self.marks) if self.funding is not None else ()
        return {
            "leverage": self.leverage,
            "maintenance_percent": self.maintenance,
            "tiers": [one._asdict() for one in (read_tiers(self.tiers, symbol) if self.tiers is not None else ())],
            "liquidation_fee_percent": self.liquidation_fee,
            "funding_percent": self.funding_rate,
            "funding_hours": self.funding_hours,
            "funding_rates": [one._asdict() for one in rates],
        }
