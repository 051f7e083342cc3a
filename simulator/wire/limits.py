"""The venue's limits: request weight and raw requests per address, unfilled orders per account, bans.

All of it runs on protocol time. Spot and USD-M count apart, as their hosts do. `lifted` counts but refuses nothing.
"""

from __future__ import annotations

from collections import defaultdict

from simulator.clock import ProtocolClock
from simulator.errors import VenueError
from simulator.events import Event
from simulator.instruments import Market
from simulator.spot.types import ExecutionReport
from simulator.wire.windows import Window

FIRST_BAN_MS = 120_000
LONGEST_BAN_MS = 3 * 86_400_000
STRIKES_BEFORE_BAN = 10
"""Requests answered with 429, in windows without a break, before a ban; each ban lasts four times as long."""
_QUOTAS = ("FUNDING", "STATISTICS")
#: What is announced as a limit that has been lifted.
LIFTED = 1_000_000_000
_SHOWN = ("REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS")
MAKER_CREDIT = 5
"""A first fill as maker gives back five counts, one as taker gives back one (spot)."""

_TOO_MUCH = {
    "spot": "Too much request weight used; current limit is {limit} request weight per {number} {interval}. "
    "Please use WebSocket Streams for live updates to avoid polling the API.",
    "futures": "Too many requests; current limit is {limit} requests per {span}. "
    "Please use the websocket for live updates to avoid polling the API.",
}
_BANNED = {
    "spot": "Way too much request weight used; IP banned until {until}. "
    "Please use WebSocket Streams for live updates to avoid bans.",
    "futures": "Way too many requests; IP banned until {until}. "
    "Please use the websocket for live updates to avoid bans.",
}


def _venue_windows() -> dict[Market, list[Window]]:
    return {
        "spot": [
            Window("REQUEST_WEIGHT", "MINUTE", 1, 6_000),
            Window("ORDERS", "SECOND", 10, 100),
            Window("ORDERS", "DAY", 1, 200_000),
            Window("RAW_REQUESTS", "MINUTE", 5, 300_000),
            Window("CONNECTIONS", "MINUTE", 5, 300),
        ],
        "futures": [
            Window("REQUEST_WEIGHT", "MINUTE", 1, 2_400),
            Window("ORDERS", "SECOND", 10, 300),
            Window("ORDERS", "MINUTE", 1, 1_200),
            Window("CONNECTIONS", "MINUTE", 5, 300),
            Window("FUNDING", "MINUTE", 5, 500),
            Window("STATISTICS", "MINUTE", 5, 1_000),
        ],
    }


class Limits:
    """What every address and account has used, and who is banned."""

    def __init__(self, clock: ProtocolClock, lifted: bool = False) -> None:
        self._clock = clock
        self.lifted = lifted
        self._windows = _venue_windows()
        self._index()
        self._bans: dict[tuple[Market, str], int] = {}
        self._offences: defaultdict[tuple[Market, str], int] = defaultdict(int)
        self._strikes: dict[tuple[Market, str], tuple[int, int]] = {}

    def _index(self) -> None:
        self._weight = {market: self._of(market, "REQUEST_WEIGHT")[0] for market in self._windows}
        self._orders = {market: self._of(market, "ORDERS") for market in self._windows}
        self._raw = {market: self._of(market, "RAW_REQUESTS") for market in self._windows}

    def _of(self, market: Market, kind: str) -> list[Window]:
        return [window for window in self._windows[market] if window.kind == kind]

    # What the venue publishes

    def rules(self, market: Market) -> list[dict[str, object]]:
        """`rateLimits` of exchangeInfo; lifted ones are announced as so high that nobody reaches them."""
        rules = [window.rule() for window in self._windows[market] if window.kind in _SHOWN]
        return [rule | {"limit": LIFTED} for rule in rules] if self.lifted else rules

    def order_report(self, market: Market, account_id: int) -> list[dict[str, object]]:
        """The account's ORDERS limits with their counts, as `rateLimit/order` answers."""
        now = self._clock.now_ms()
        return [window.report(account_id, now) for window in self._orders[market]]

    def report(self, market: Market, ip: str, account_id: int | None = None) -> list[dict[str, object]]:
        """`rateLimits` of a WebSocket API answer: the address's weight, and the account's orders where it has one."""
        weight = self._weight[market].report(ip, self._clock.now_ms())
        return [weight, *(self.order_report(market, account_id) if account_id is not None else [])]

    def used_weight(self, market: Market, ip: str) -> int:
        """Weight that an address has used in this minute."""
        return self._weight[market].used(ip, self._clock.now_ms())

    def order_headers(self, market: Market, account_id: int) -> dict[str, str]:
        """X-MBX-ORDER-COUNT-* of an account."""
        now = self._clock.now_ms()
        return {
            f"X-MBX-ORDER-COUNT-{window.suffix}": str(window.used(account_id, now)) for window in self._orders[market]
        }

    # What a request does

    def admit(self, market: Market, ip: str, weight: int, quota: str = "") -> None:
        """Count a request before it is looked at; 418 while banned, 429 when its weight or quota has no room left.

        `quota` names a limit of requests that some endpoints share, beside the weight (FUNDING, STATISTICS).
        """
        now = self._clock.now_ms()
        if not self.lifted and self._bans:
            self._refuse_banned(market, ip, now)
        counted = self._raw[market] + (self._of(market, quota) if quota else [])
        for window in counted:
            window.add(ip, 1, now)
        if self.lifted:
            return
        for window in (self._weight[market], *counted):
            extra = weight if window.kind == "REQUEST_WEIGHT" else 0
            if not window.has_room(ip, extra, now):
                self._strike(market, ip, window, now)

    def charge(self, market: Market, ip: str, weight: int) -> None:
        """Put weight on the address's count."""
        if weight:
            self._weight[market].add(ip, weight, self._clock.now_ms())

    def reserve_orders(self, market: Market, account_id: int, count: int, longer: int | None = None) -> None:
        """Count new unfilled orders; -1015 with 429 when there is no room, and nothing is counted.

        `longer` is what they count in the second, longer window where that differs (a batch counts as one there).
        """
        now = self._clock.now_ms()
        counted = self._order_counts(market, count, longer)
        for window, number in counted:
            if not self.lifted and not window.has_room(account_id, number, now):
                raise self.too_many_orders(market, window.suffix)
        for window, number in counted:
            window.add(account_id, number, now)

    def give_back_orders(self, market: Market, account_id: int, count: int, longer: int | None = None) -> None:
        """Undo a reservation whose orders were refused, or credit fills."""
        now = self._clock.now_ms()
        for window, number in self._order_counts(market, count, longer):
            window.add(account_id, -number, now)

    def _order_counts(self, market: Market, count: int, longer: int | None) -> list[tuple[Window, int]]:
        short, *others = self._orders[market]
        return [(short, count), *((window, count if longer is None else longer) for window in others)]

    def connect(self, market: Market, ip: str) -> None:
        """Count one WebSocket handshake; 429 beyond 300 in five minutes."""
        now = self._clock.now_ms()
        if not self.lifted:
            self._refuse_banned(market, ip, now)
        window = self._of(market, "CONNECTIONS")[0]
        if not self.lifted and not window.has_room(ip, 1, now):
            raise self.too_many_requests(market, window.seconds_left(now))
        window.add(ip, 1, now)

    def on_event(self, event: Event) -> None:
        """Spot gives counts back when an order fills for the first time; join this to the venue's bus."""
        if not isinstance(event, ExecutionReport) or event.execution != "TRADE" or event.fill is None:
            return
        if event.order.executed == event.fill.quantity:
            self.give_back_orders("spot", event.order.account_id, MAKER_CREDIT if event.fill.is_maker else 1)

    # What an operator does

    def set_limit(self, market: Market, kind: str, interval: str, number: int, limit: int) -> None:
        """Change a limit; raises KeyError when the market has none of this kind and interval."""
        for window in self._windows[market]:
            if (window.kind, window.interval, window.number) == (kind, interval, number):
                window.limit = limit
                return
        raise KeyError(f"{market} has no limit {kind} per {number} {interval}")

    def ban(self, market: Market, ip: str, for_ms: int) -> int:
        """Ban an address; gives the protocol time at which the ban ends."""
        until = self._clock.now_ms() + for_ms
        self._bans[market, ip] = until
        return until

    def lift_bans(self) -> None:
        """End every ban and forget the offences."""
        self._bans.clear()
        self._offences.clear()
        self._strikes.clear()

    def view(self) -> dict[str, object]:
        """Everything for an operator."""
        now = self._clock.now_ms()
        markets = {
            market: [window.rule() | {"used": window.present(now)} for window in windows]
            for market, windows in self._windows.items()
        }
        bans = [{"market": key[0], "ip": key[1], "until": until} for key, until in self._bans.items() if until > now]
        return {"lifted": self.lifted, "markets": markets, "bans": bans}

    # Refusals, also used by faults

    def too_many_requests(self, market: Market, retry_after: int) -> VenueError:
        """429 with -1003; `data` holds the seconds of Retry-After."""
        return self._too_many(market, self._weight[market], retry_after)

    def _too_many(self, market: Market, window: Window, retry_after: int) -> VenueError:
        span = "minute" if window.number == 1 else f"{window.number} minutes"
        text = _TOO_MUCH[market].format(limit=window.limit, number=window.number, interval=window.interval, span=span)
        return VenueError(-1003, text, 429, {"retry_after": retry_after})

    def banned(self, market: Market, until_ms: int) -> VenueError:
        """418 with -1003."""
        seconds = max(1, -(-(until_ms - self._clock.now_ms()) // 1000))
        return VenueError(-1003, _BANNED[market].format(until=until_ms), 418, {"retry_after": seconds})

    def too_many_orders(self, market: Market, suffix: str = "") -> VenueError:
        """429 with -1015, for the interval of this suffix or the first."""
        windows = self._orders[market]
        window = next((item for item in windows if item.suffix == suffix), windows[0])
        text = f"Too many new orders; current limit is {window.limit} orders per {window.number} {window.interval}."
        return VenueError(-1015, text, 429, {"retry_after": window.seconds_left(self._clock.now_ms())})

    def _refuse_banned(self, market: Market, ip: str, now: int) -> None:
        until = self._bans.get((market, ip), 0)
        if until > now:
            raise self.banned(market, until)

    def _strike(self, market: Market, ip: str, window: Window, now: int) -> None:
        """Refuse a request beyond the limit; whoever goes on is banned, each time for longer."""
        owner = (market, ip)
        index, strikes = self._strikes.get(owner, (0, 0))
        present = now // window.length_ms
        strikes = strikes + 1 if present - index <= 1 else 1
        self._strikes[owner] = (present, strikes)
        if strikes <= STRIKES_BEFORE_BAN:
            shown = window if window.kind in _QUOTAS else self._weight[market]
            raise self._too_many(market, shown, window.seconds_left(now))
        del self._strikes[owner]
        length = min(FIRST_BAN_MS * 4 ** self._offences[owner], LONGEST_BAN_MS)
        self._offences[owner] += 1
        raise self.banned(market, self.ban(market, ip, length))
