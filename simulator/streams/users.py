"""User data: which connections hear of which account, and what they hear.

USD-M is heard by listen key on the streams; spot by subscription on the WebSocket API, each event in an envelope with
the subscription's number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from simulator.errors import VenueError
from simulator.futures import types as futures
from simulator.futures_api.user_events import trigger_reject
from simulator.spot import types as spot
from simulator.streams.frames import Message

if TYPE_CHECKING:
    from simulator.streams.listen_keys import ListenKeys
    from simulator.venue import Venue

Payload = dict[str, object]
SpotPayload = Callable[[spot.SpotEvent, "Venue"], Payload | None]
FuturesPayload = Callable[[futures.FuturesEvent, "Venue"], Payload | None]
MAXIMUM_ACTIVE = 1000
MAXIMUM_EVER = 65_535
_SPOT_EVENTS = (spot.ExecutionReport, spot.AccountPosition, spot.BalanceUpdate, spot.ListStatus)


class UserListener(Protocol):
    """A connection that hears of accounts."""

    def receive_user_event(self, message: Message, event: str) -> None:
        """Send the event on; `event` is its type, such as executionReport."""


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription of a WebSocket API connection to a spot account."""

    number: int
    account_id: int
    listener: UserListener
    by_session: bool
    """Made by the logged-on session, and ending with it."""


class UserStreams:
    """Listeners of accounts. `payloads` turn an event into what goes on the wire; without them they are looked up."""

    def __init__(
        self,
        venue: object,
        keys: ListenKeys,
        spot_payload: SpotPayload | None = None,
        futures_payload: FuturesPayload | None = None,
    ) -> None:
        self._venue = cast("Venue", venue)
        self._keys = keys
        self._spot_payload = spot_payload
        self._futures_payload = futures_payload
        self._by_key: dict[str, dict[UserListener, None]] = {}
        self._by_account: dict[int, dict[Subscription, None]] = {}

    # USD-M, by listen key

    def listen(self, key: str, listener: UserListener) -> None:
        """Hear of the account whose key this is, as long as it lives; an unknown key is silent."""
        self._by_key.setdefault(key, {})[listener] = None

    def ignore(self, key: str, listener: UserListener) -> None:
        """Hear no more of it."""
        listeners = self._by_key.get(key)
        if listeners is not None:
            listeners.pop(listener, None)
            if not listeners:
                del self._by_key[key]

    def expire_keys(self, now_ms: int) -> None:
        """Tell the listeners of every key that has died of age."""
        for key in self._keys.take_expired():
            event = {"e": "listenKeyExpired", "E": now_ms, "listenKey": key.text}
            self._send_to_key(key.text, "listenKeyExpired", event)

    def _send_to_key(self, key: str, name: str, payload: Payload) -> None:
        listeners = self._by_key.get(key)
        if listeners:
            message = Message(key, payload)
            for listener in list(listeners):
                listener.receive_user_event(message, name)

    # Spot, by subscription

    def subscribe(self, subscription: Subscription) -> None:
        """Hear of a spot account from now on."""
        self._by_account.setdefault(subscription.account_id, {})[subscription] = None

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hear no more of it."""
        subscriptions = self._by_account.get(subscription.account_id, {})
        subscriptions.pop(subscription, None)
        if not subscriptions:
            self._by_account.pop(subscription.account_id, None)

    # Events

    def on_event(self, event: object) -> None:
        """Send an account's event to whoever hears of the account."""
        if isinstance(event, _SPOT_EVENTS):
            self._on_spot(event)
        else:
            self._on_futures(cast("futures.FuturesEvent", event))

    def _on_spot(self, event: spot.SpotEvent) -> None:
        subscriptions = self._by_account.get(_spot_account(event))
        if not subscriptions:
            return
        payload = self._spot(event)
        if payload is None:
            return
        name = str(payload.get("e", ""))
        for subscription in list(subscriptions):
            envelope = {"subscriptionId": subscription.number, "event": payload}
            subscription.listener.receive_user_event(Message("", envelope), name)

    def _on_futures(self, event: futures.FuturesEvent) -> None:
        if isinstance(event, futures.Liquidation) or not self._by_key:
            return
        key = self._keys.text_of(_futures_account(event))
        if key is None or key not in self._by_key:
            return
        if isinstance(event, futures.OrderUpdate) and event.execution == "TRADE" and event.fill is not None:
            self._send_to_key(key, "TRADE_LITE", self._trade_lite(event, event.fill))
        payload = self._futures(event)
        if payload is not None:
            self._send_to_key(key, str(payload.get("e", "")), payload)
        if isinstance(event, futures.AlgoUpdate) and (refused := trigger_reject(event)) is not None:
            self._send_to_key(key, "CONDITIONAL_ORDER_TRIGGER_REJECT", refused)

    def _trade_lite(self, event: futures.OrderUpdate, fill: futures.Fill) -> Payload:
        """TRADE_LITE: the fill alone, ahead of the full update."""
        order, instrument = event.order, self._venue.futures.instrument(event.order.symbol)
        return {
            "e": "TRADE_LITE",
            "E": event.time_ms,
            "T": fill.time_ms,
            "s": order.symbol,
            "q": instrument.format_quantity(order.quantity),
            "p": instrument.format_price(order.price),
            "m": fill.is_maker,
            "c": order.client_order_id,
            "S": order.side,
            "L": instrument.format_price(fill.price),
            "l": instrument.format_quantity(fill.quantity),
            "t": fill.trade_id,
            "i": order.order_id,
        }

    def _spot(self, event: spot.SpotEvent) -> Payload | None:
        if self._spot_payload is None:
            from simulator.spot_api.user_events import payload

            self._spot_payload = cast("SpotPayload", payload)
        return self._spot_payload(event, self._venue)

    def _futures(self, event: futures.FuturesEvent) -> Payload | None:
        if self._futures_payload is None:
            from simulator.futures_api.user_events import payload

            self._futures_payload = cast("FuturesPayload", payload)
        return self._futures_payload(event, self._venue)


class Subscriptions:
    """The spot subscriptions of one WebSocket API connection, numbered from 0 and never twice."""

    def __init__(self, users: UserStreams, listener: UserListener) -> None:
        self._users = users
        self._listener = listener
        self._active: dict[int, Subscription] = {}
        self._count = 0

    @property
    def numbers(self) -> list[int]:
        """Numbers of what is active, oldest first."""
        return list(self._active)

    @property
    def has_session(self) -> bool:
        """Whether the logged-on session has subscribed."""
        return any(item.by_session for item in self._active.values())

    def add(self, account_id: int, by_session: bool) -> int:
        """Subscribe to an account, once per connection (-2035); gives the subscription's number."""
        if any(item.account_id == account_id for item in self._active.values()):
            raise VenueError(-2035, "User Data Stream subscription already active.")
        if len(self._active) >= MAXIMUM_ACTIVE or self._count >= MAXIMUM_EVER:
            raise VenueError(
                -1003,
                f"Too many subscriptions; a connection has at most {MAXIMUM_ACTIVE} at once and {MAXIMUM_EVER} ever.",
            )
        subscription = Subscription(self._count, account_id, self._listener, by_session)
        self._count += 1
        self._active[subscription.number] = subscription
        self._users.subscribe(subscription)
        return subscription.number

    def end(self, number: int) -> None:
        """End one subscription; -2036 when it is not active."""
        subscription = self._active.pop(number, None)
        if subscription is None:
            raise VenueError(-2036, "User Data Stream subscription not active.")
        self._users.unsubscribe(subscription)

    def end_all(self, only_session: bool = False) -> list[int]:
        """End every subscription, or the session's; gives their numbers."""
        ended = [item.number for item in self._active.values() if item.by_session or not only_session]
        for number in ended:
            self.end(number)
        return ended


def _spot_account(event: spot.SpotEvent) -> int:
    if isinstance(event, spot.ExecutionReport):
        return event.order.account_id
    if isinstance(event, spot.ListStatus):
        return event.order_list.account_id
    return event.account_id


def _futures_account(event: futures.FuturesEvent) -> int:
    if isinstance(event, futures.OrderUpdate | futures.Liquidation):
        return event.order.account_id
    if isinstance(event, futures.AlgoUpdate):
        return event.algo.account_id
    return event.account_id
