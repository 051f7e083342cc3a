"""Who trades: accounts and their API keys. Balances live in the spot and futures exchanges, by account id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

KeyKind = Literal["HMAC", "ED25519", "RSA"]
Permission = Literal["READING", "SPOT", "FUTURES", "WITHDRAWALS", "MARGIN", "UNIVERSAL_TRANSFER"]


@dataclass(slots=True)
class ApiKey:
    """One key of an account. `secret` is the HMAC secret, or the PEM text of an Ed25519 or RSA public key."""

    key: str
    secret: str = field(repr=False)
    account_id: int
    kind: KeyKind = "HMAC"
    permissions: frozenset[Permission] = frozenset({"READING", "SPOT", "FUTURES"})
    ip_addresses: tuple[str, ...] = ()
    """Addresses the key may be used from; empty means any."""
    created_ms: int = 0
    revoked: bool = False


@dataclass(slots=True)
class Account:
    """One customer of the venue."""

    account_id: int
    name: str
    maker_fee: int = 100_000
    """Spot maker commission in quanta of a fraction (100,000 is 0.1 %)."""
    taker_fee: int = 100_000
    futures_maker_fee: int = 20_000
    futures_taker_fee: int = 50_000
    pay_fees_in_bnb: bool = False
    """Pay spot commission in BNB at a 25 % discount while the BNB lasts."""
    can_trade: bool = True


class AccountBook:
    """All accounts and keys of the venue, by id and by key."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._keys: dict[str, ApiKey] = {}

    def create(self, name: str) -> Account:
        """A new account without keys or balances; ids count from 1."""
        account = Account(len(self._accounts) + 1, name)
        self._accounts[account.account_id] = account
        return account

    def add_key(self, key: ApiKey) -> None:
        """Register a key; raises ValueError when the key text is already in use."""
        if key.key in self._keys:
            raise ValueError(f"API key {key.key[:6]}... is already registered")
        self._keys[key.key] = key

    def key(self, text: str) -> ApiKey | None:
        """The key with this text, if it is known and not revoked."""
        found = self._keys.get(text)
        return None if found is None or found.revoked else found

    def account(self, account_id: int) -> Account:
        """The account with this id; raises KeyError when there is none."""
        return self._accounts[account_id]

    def keys_of(self, account_id: int) -> list[ApiKey]:
        """Every key of an account, revoked ones included."""
        return [key for key in self._keys.values() if key.account_id == account_id]

    def all(self) -> list[Account]:
        """Every account, oldest first."""
        return list(self._accounts.values())
