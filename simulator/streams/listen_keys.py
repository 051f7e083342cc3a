"""Listen keys of USD-M user data: one per account, alive for 60 minutes of protocol time, extended by POST and PUT.

Spot has had none since February 2026; its user data comes by subscription on the WebSocket API.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from simulator.clock import ProtocolClock
from simulator.errors import VenueError

LIFE_MS = 60 * 60_000
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 64


@dataclass(slots=True)
class ListenKey:
    """One key and the protocol time at which it dies."""

    text: str
    account_id: int
    expires_ms: int


class ListenKeys:
    """The living keys, by account and by text. Texts depend on the account and its count alone, so runs repeat."""

    def __init__(self, clock: ProtocolClock, life_ms: int = LIFE_MS) -> None:
        self._clock = clock
        self._life_ms = life_ms
        self._by_account: dict[int, ListenKey] = {}
        self._by_text: dict[str, ListenKey] = {}
        self._issued: dict[int, int] = {}
        self._none_before_ms = 0
        """No key dies before this time: nobody has to look at a thousand living ones fifty times a second."""

    def open(self, account_id: int) -> str:
        """POST: the account's key, made if there is none; its life starts again either way."""
        key = self._living(account_id)
        if key is None:
            number = self._issued[account_id] = self._issued.get(account_id, 0) + 1
            key = ListenKey(_text(account_id, number), account_id, 0)
            self._by_account[account_id] = self._by_text[key.text] = key
        self._start_life(key)
        return key.text

    def extend(self, account_id: int) -> str:
        """PUT: the account's key with 60 more minutes to live; -1125 when it has none."""
        key = self._living(account_id)
        if key is None:
            raise VenueError(-1125, "This listenKey does not exist.")
        self._start_life(key)
        return key.text

    def close(self, account_id: int) -> None:
        """DELETE: the key is dead at once and nothing more is sent on it; -1125 when there is none."""
        key = self._living(account_id)
        if key is None:
            raise VenueError(-1125, "This listenKey does not exist.")
        self._forget(key)

    def account_of(self, text: str) -> int | None:
        """Whose living key this is; None for a dead or unknown one."""
        key = self._by_text.get(text)
        return key.account_id if key is not None and key.expires_ms > self._clock.now_ms() else None

    def text_of(self, account_id: int) -> str | None:
        """The account's living key."""
        key = self._living(account_id)
        return None if key is None else key.text

    def take_expired(self) -> list[ListenKey]:
        """Keys that died of age since the last call, oldest first; they are forgotten."""
        now = self._clock.now_ms()
        if now < self._none_before_ms:
            return []
        dead = [key for key in self._by_text.values() if key.expires_ms <= now]
        for key in dead:
            self._forget(key)
        self._none_before_ms = min((key.expires_ms for key in self._by_text.values()), default=now + self._life_ms)
        return sorted(dead, key=lambda key: key.expires_ms)

    def expire_now(self, account_id: int) -> None:
        """Let the account's key die of age at the next look, as a fault does; nothing happens without a key."""
        key = self._by_account.get(account_id)
        if key is not None:
            key.expires_ms = self._none_before_ms = self._clock.now_ms()

    def _start_life(self, key: ListenKey) -> None:
        key.expires_ms = self._clock.now_ms() + self._life_ms
        # The clock may have been set back.
        self._none_before_ms = min(self._none_before_ms, key.expires_ms)

    def _living(self, account_id: int) -> ListenKey | None:
        key = self._by_account.get(account_id)
        return key if key is not None and key.expires_ms > self._clock.now_ms() else None

    def _forget(self, key: ListenKey) -> None:
        self._by_text.pop(key.text, None)
        if self._by_account.get(key.account_id) is key:
            del self._by_account[key.account_id]


def _text(account_id: int, number: int) -> str:
    seed = int.from_bytes(hashlib.blake2b(f"listen-key {account_id} {number}".encode(), digest_size=64).digest(), "big")
    digits = []
    for _ in range(_LENGTH):
        seed, digit = divmod(seed, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
