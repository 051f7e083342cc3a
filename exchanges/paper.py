"""Paper trading: the market of another venue, money of our own."""

from __future__ import annotations

from dataclasses import replace

from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import Clock
from domain.errors import Refused
from exchanges._paper.exchange import PaperExchange
from exchanges._paper.feed import PaperFeed as PaperFeed


class NoPaperSettings(Refused):
    """A paper account needs to know its feed, its funds and its store; give `paper` in the venue's settings."""


@EXCHANGES.register("paper")
def paper(settings: VenueSettings, clock: Clock) -> PaperExchange:
    """One paper account on the market that its settings name or bring; a feed of its own is opened without a key."""
    if settings.paper is None:
        raise NoPaperSettings
    if (market := settings.paper.market) is not None:
        return PaperExchange(market.venue, settings.paper, settings, clock)
    feed = EXCHANGES.get(settings.paper.feed)(replace(settings, credentials=None, paper=None), clock)
    return PaperExchange(feed, settings.paper, settings, clock)
