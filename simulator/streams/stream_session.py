"""A stream connection: what it has subscribed to, and its answers to commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.streams.commands import Command, CommandError, parse_command, parse_json, read_id
from simulator.streams.frames import COMBINED, MICROSECONDS, Message, text_frame
from simulator.streams.names import find_stream
from simulator.streams.paths import Entrance

if TYPE_CHECKING:
    from simulator.streams.connection import Connection
    from simulator.streams.feeds import Feed
    from simulator.streams.hub import StreamHub


class StreamSession:
    """Listens to feeds and listen keys for one connection."""

    def __init__(self, hub: StreamHub, connection: Connection, entrance: Entrance, maximum: int) -> None:
        self._hub = hub
        self._connection = connection
        self._entrance = entrance
        self._maximum = maximum
        self._variant = COMBINED * entrance.is_combined + MICROSECONDS * entrance.in_microseconds
        self._subscribed: dict[str, Feed | None] = {}
        """Names as they were asked for; without a feed where nothing will ever come."""

    def start(self) -> None:
        """Subscribe to what the URL named."""
        self._subscribe(self._entrance.streams[: self._maximum])

    def receive(self, message: Message) -> None:
        """Send a market event on."""
        self._connection.send_event(message.frame(self._variant), message.stream)

    def receive_user_event(self, message: Message, event: str) -> None:
        """Send an account's event on, if the connection wants its kind."""
        if not self._entrance.events or event in self._entrance.events:
            self._connection.send_event(message.frame(self._variant), event)

    def on_text(self, text: str) -> None:
        """Carry out a command, or say what is wrong with it."""
        request_id, has_id = None, False
        try:
            value = parse_json(text)
            if isinstance(value, dict):
                request_id, has_id = read_id(value.get("id", False))
            command = parse_command(value, text)
            answer = {"result": self._carry_out(command), "id": command.id}
        except CommandError as error:
            self._connection.put(error.frame(request_id, has_id))
        else:
            self._connection.put(text_frame(answer))

    def _carry_out(self, command: Command) -> object:
        if command.method == "SUBSCRIBE":
            wanted = len(self._subscribed.keys() | set(command.streams))
            if wanted > self._maximum:
                raise CommandError(2, f"Invalid request: too many streams, {wanted} of at most {self._maximum}")
            self._subscribe(command.streams)
        elif command.method == "UNSUBSCRIBE":
            for name in command.streams:
                self._unsubscribe(name)
        elif command.method == "LIST_SUBSCRIPTIONS":
            return list(self._subscribed)
        elif command.method == "SET_PROPERTY":
            self._variant = (self._variant & ~COMBINED) | (COMBINED * command.flag)
        else:
            return bool(self._variant & COMBINED)
        return None

    def _subscribe(self, names: tuple[str, ...]) -> None:
        where = self._entrance
        for name in names:
            if name in self._subscribed:
                continue
            key = find_stream(where.market, where.route, where.is_bare, name)
            if key is not None:
                self._subscribed[name] = self._hub.add_listener(key, self)
            elif "@" in name or "!" in name:
                self._subscribed[name] = None
            elif len(name) > _LONGEST_NUMBER:
                self._subscribed[name] = None
                self._hub.users.listen(name, self)
        self._recognise()

    def _unsubscribe(self, name: str) -> None:
        if name in self._subscribed:
            feed = self._subscribed.pop(name)
            if feed is not None:
                self._hub.remove_listener(feed, self)
            self._hub.users.ignore(name, self)

    def _recognise(self) -> None:
        """Faults name connections by account: take that of a living listen key."""
        for name in self._subscribed:
            account = self._hub.venue.listen_keys.account_of(name)
            if account is not None:
                self._connection.scope.account = account

    def on_closed(self) -> None:
        """Stop listening."""
        for name in list(self._subscribed):
            self._unsubscribe(name)

    def end_subscriptions(self) -> None:
        """Let the listen keys behind this connection expire."""
        keys = self._hub.venue.listen_keys
        for name in self._subscribed:
            account = keys.account_of(name)
            if account is not None:
                keys.expire_now(account)
        self._hub.on_protocol_time(self._hub.venue.protocol.now_ms())

    def shutdown_frame(self) -> bytes:
        """The notice that the server is about to go."""
        event = {"e": "serverShutdown", "E": self._hub.venue.protocol.now_ms()}
        return Message("!serverShutdown", event).frame(self._variant)


_LONGEST_NUMBER = 16
"""Clients write a number where a stream name would stand; a listen key is longer."""
