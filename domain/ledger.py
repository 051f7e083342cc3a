"""Double entry, per asset, in the venue's finest unit (quanta): every entry's postings sum to zero.

Accounts are texts: `cash:INSTANCE` is what a strategy instance owns of the account's balance, `cash:unallocated`
what no instance owns; `market` is the other side of every trade, `fees` what was paid, `outside` deposits and
withdrawals, `funding` futures funding. The venue's balance of an asset is the sum over all `cash:` accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from domain.errors import Broken, Refused

MARKET: Final = "market"
FEES: Final = "fees"
OUTSIDE: Final = "outside"
FUNDING: Final = "funding"
CASH: Final = "cash:"
UNALLOCATED: Final = "cash:unallocated"


class Unbalanced(Broken):
    """The postings of an entry do not sum to zero per asset."""


class NotEnough(Refused):
    """An account holds less of the asset than the entry would take."""


class Posting(NamedTuple):
    """One line: so many quanta of an asset into (above zero) or out of an account."""

    account: str
    asset: str
    amount: int


class Entry(NamedTuple):
    """Postings that belong together. `reference` is unique per kind: a trade id, a transfer id."""

    kind: str
    reference: str
    time_ms: int
    postings: tuple[Posting, ...]


def cash(instance: int) -> str:
    """The sub-ledger of a strategy instance."""
    return f"{CASH}{instance}"


def entry(kind: str, reference: str, time_ms: int, postings: Iterable[Posting]) -> Entry:
    """An entry, checked to balance; postings of nothing are left out."""
    kept = tuple(posting for posting in postings if posting.amount)
    sums: dict[str, int] = {}
    for posting in kept:
        sums[posting.asset] = sums.get(posting.asset, 0) + posting.amount
    for asset, total in sums.items():
        if total:
            raise Unbalanced(f"{kind} {reference}: the postings in {asset} sum to {total} quanta, not to zero.")
    return Entry(kind, reference, time_ms, kept)


def transfer(reference: str, time_ms: int, asset: str, amount: int, source: str, target: str) -> Entry:
    """An entry that moves an amount from one account to another."""
    if amount <= 0:
        raise Refused(
            f"a transfer moves more than nothing, and {amount} {asset} quanta is not; give an amount above 0."
        )
    return entry("transfer", reference, time_ms, (Posting(source, asset, -amount), Posting(target, asset, amount)))


class TradeLine(NamedTuple):
    """A fill, valued: what `trade_entry` needs of it."""

    reference: str
    time_ms: int
    owner: str
    base: str
    #: Base quanta gained, below zero when sold.
    base_amount: int
    quote: str
    #: Quote quanta gained, below zero when bought.
    quote_amount: int
    fee: int
    fee_asset: str
    #: Who pays the fee: the owner, or `cash:unallocated` where fees are paid from a common pool.
    fee_payer: str


def trade_entry(line: TradeLine) -> Entry:
    """The entry of a spot fill: base and quote against the market, the fee, in its own asset, against `fees`."""
    return entry(
        "trade",
        line.reference,
        line.time_ms,
        (
            Posting(line.owner, line.base, line.base_amount),
            Posting(MARKET, line.base, -line.base_amount),
            Posting(line.owner, line.quote, line.quote_amount),
            Posting(MARKET, line.quote, -line.quote_amount),
            Posting(line.fee_payer, line.fee_asset, -line.fee),
            Posting(FEES, line.fee_asset, line.fee),
        ),
    )


class Ledger:
    """Balances by (account, asset), folded from entries; each (kind, reference) counts once."""

    def __init__(self) -> None:
        self._balances: dict[tuple[str, str], int] = {}
        self._seen: set[tuple[str, str]] = set()

    def post(self, new: Entry) -> bool:
        """Book an entry; False when it was booked before, and nothing changes."""
        name = (new.kind, new.reference)
        if name in self._seen:
            return False
        self._seen.add(name)
        for posting in new.postings:
            key = (posting.account, posting.asset)
            self._balances[key] = self._balances.get(key, 0) + posting.amount
        return True

    def has(self, kind: str, reference: str) -> bool:
        """Whether an entry was booked."""
        return (kind, reference) in self._seen

    def balance(self, account: str, asset: str) -> int:
        """Quanta of an asset in an account."""
        return self._balances.get((account, asset), 0)

    def venue_balances(self) -> dict[str, int]:
        """Asset -> quanta over all `cash:` accounts: what the venue must show, free and locked together."""
        return _totals({key: amount for key, amount in self._balances.items() if key[0].startswith(CASH)})

    def proof(self) -> dict[str, int]:
        """Asset -> sum over every account; all zero, or the books are broken."""
        return _totals(self._balances)

    def balances(self) -> Mapping[tuple[str, str], int]:
        """(account, asset) -> quanta, for reports and storage."""
        return self._balances


def _totals(balances: Mapping[tuple[str, str], int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (_, asset), amount in balances.items():
        totals[asset] = totals.get(asset, 0) + amount
    return totals
