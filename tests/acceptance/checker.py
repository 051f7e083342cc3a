"""Compares what the journal has stored with the venue's tape and balances, exactly, with arithmetic of its own.

It reads the tape, the operator's views and the journal's rows, and shares no code with the house. Every check gives
complaints in words; none means that the books are right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.acceptance.stored import Stored, StoredFill
from tests.acceptance.tape import OURS, Tape, TapeFunding, TapeTrade

_QUANTUM = Decimal("0.00000001")
_OPEN = 1
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Views:
    """What the operator sees of the account at this moment."""

    #: Asset -> balance, free and locked together.
    balances: Mapping[str, Decimal]
    #: Client order ids of orders that rest.
    open_orders: frozenset[str]
    #: Symbol -> futures position.
    positions: Mapping[str, Decimal]
    #: Symbol -> last price.
    prices: Mapping[str, Decimal]


class Checker:
    """Holds what is stored against the tape. What executions add up to is folded as they come, each once."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._folded = 0
        self.sums = Sums()

    def complaints(self, stored: Stored, views: Views) -> list[str]:
        """Everything that is not as it should be at a quiet moment."""
        tape, sums = self.tape, self.sums
        for symbol, happened in tape.executions[self._folded :]:
            if isinstance(happened, TapeFunding):
                sums.fund(symbol, happened, stored)
            else:
                sums.take(symbol, happened, stored)
        self._folded = len(tape.executions)
        return [
            *check_intents(stored, tape),
            *check_open_orders(stored, views),
            *check_fills(stored, tape),
            *check_quantities(stored, tape),
            *check_entries(stored, sums),
            *check_money(stored, tape, views, sums),
            *check_results(stored, views, sums),
        ]


def complaints(stored: Stored, tape: Tape, views: Views) -> list[str]:
    """The same, everything folded anew."""
    return Checker(tape).complaints(stored, views)


def check_intents(stored: Stored, tape: Tape) -> Iterator[str]:
    """No order without an intent that says the same, and at most one accepted order per intent."""
    for client, times in tape.accepted.items():
        if not client.startswith(OURS):
            continue
        if times != 1:
            yield f"order {client} was accepted {times} times"
        intent = stored.intents.get(client)
        if intent is None:
            yield f"order {client} has no intent"
        elif (intent.symbol, intent.side, intent.price, intent.quantity) != tape.placed[client]:
            yield f"order {client} is {tape.placed[client]}, and its intent says {intent}"


def check_open_orders(stored: Stored, views: Views) -> Iterator[str]:
    """What rests at the venue is what the journal takes to be open."""
    believed = {client for client, intent in stored.intents.items() if intent.status <= _OPEN}
    ours = {client for client in views.open_orders if client.startswith(OURS)}
    yield from (f"order {client} rests, and the journal holds it for ended" for client in sorted(ours - believed))
    yield from (f"order {client} is held for open, and does not rest" for client in sorted(believed - ours))


def check_fills(stored: Stored, tape: Tape) -> Iterator[str]:
    """Booked executions are the venue's trades, each once: ids, quantities, prices, fees, times."""
    expected = {name: trades for name, trades in tape.trades.items() if any(_is_ours(trade) for trade in trades)}
    for name in expected.keys() - stored.fills.keys():
        yield f"trade {name} is not booked: {expected[name]}"
    for name in stored.fills.keys() - expected.keys():
        yield f"trade {name} is booked and never was: {stored.fills[name]}"
    for name in expected.keys() & stored.fills.keys():
        if [_plain(stored.fills[name])] != expected[name]:
            yield f"trade {name} is {expected[name]}, and was booked as {stored.fills[name]}"
        owner = stored.intents[stored.fills[name].client].instance
        if stored.fills[name].instance != owner:
            yield f"trade {name} of instance {owner} was booked by {stored.fills[name].instance}"
    for symbol, trade, quantity in tape.parties:
        if not any(each.quantity == quantity for each in tape.trades.get((symbol, trade), ())):
            yield f"trade {symbol} {trade} of {quantity} stands on the tape without its order"


def check_quantities(stored: Stored, tape: Tape) -> Iterator[str]:
    """What each order has executed: by the tape, as noted of it, and by its booked executions."""
    executed: dict[str, Decimal] = defaultdict(Decimal)
    for fill in stored.fills.values():
        executed[fill.client] += fill.quantity
    for client, intent in stored.intents.items():
        told = tape.orders.get(client, ("", ZERO))[1]
        if not intent.filled == executed[client] == told:
            yield f"order {client}: {told} executed, {intent.filled} noted, {executed[client]} booked"


def check_entries(stored: Stored, sums: Sums) -> Iterator[str]:
    """Every entry sums to zero per asset, and there is one for each trade and each share of a funding payment."""
    for name, by_asset in stored.entry_sums.items():
        for asset, total in by_asset.items():
            if total:
                yield f"entry {name} is out by {total} {asset}"
    trades = {reference for kind, reference in stored.entry_sums if kind == "trade"}
    fills = {f"{symbol}:{trade}" for symbol, trade in stored.fills}
    if trades != fills:
        yield f"ledger entries and fills differ: {sorted(trades ^ fills)[:5]}"
    funded = {reference for kind, reference in stored.entry_sums if kind == "funding"}
    if funded != sums.funded:
        yield f"funding is booked as {sorted(funded - sums.funded)[:5]}, and not as {sorted(sums.funded - funded)[:5]}"


def check_money(stored: Stored, tape: Tape, views: Views, sums: Sums) -> Iterator[str]:
    """Each instance owns what its trades made of its capital; all of them and the rest are the venue's balances."""
    owned: dict[tuple[str, str], Decimal] = defaultdict(Decimal, stored.transfers)
    for name, amount in sums.moved.items():
        owned[name] += amount
    for (account, asset), amount in owned.items():
        if account.startswith("cash:") and stored.balances.get((account, asset), ZERO) != amount:
            yield f"{account} owns {amount} {asset}, and the ledger says {stored.balances.get((account, asset))}"
    for asset in {*tape.balances, *views.balances}:
        if tape.balances.get(asset, ZERO) != views.balances.get(asset, ZERO):
            yield f"the venue holds {views.balances.get(asset)} {asset}, its postings say {tape.balances.get(asset)}"
    if tape.market == "spot":
        yield from _check_spot(stored, tape, views)
    else:
        yield from _check_futures(stored, tape, views, sums)


def _check_spot(stored: Stored, tape: Tape, views: Views) -> Iterator[str]:
    cash = _cash(stored)
    by_hand = _foreign(stored, tape)
    for asset in {*cash, *views.balances}:
        outside = sum((tape.by_reason.get((word, asset), ZERO) for word in ("deposit", "withdrawal")), by_hand[asset])
        if outside + cash[asset] != views.balances.get(asset, ZERO):
            yield f"{asset}: paid in {outside}, ledger {cash[asset]}, but the venue has {views.balances.get(asset)}"


def _foreign(stored: Stored, tape: Tape) -> dict[str, Decimal]:
    """Asset -> what trades of the account have moved that are not the house's: its owner trades by hand as well."""
    moved: dict[str, Decimal] = defaultdict(Decimal)
    assets = {base + quote: (base, quote) for base, quote in stored.assets.values()}
    for (symbol, _), trades in tape.trades.items():
        for trade in trades:
            if not _is_ours(trade):
                base, quote = assets[symbol]
                sign = 1 if trade.side == "BUY" else -1
                moved[base] += sign * trade.quantity
                moved[quote] -= sign * trade.quantity * trade.price
                moved[trade.fee_asset] -= trade.fee
    return moved


def _check_futures(stored: Stored, tape: Tape, views: Views, sums: Sums) -> Iterator[str]:
    """The base asset is the position. The wallet is the ledger's cash, with what open positions cost still in it.

    Funding is in both; the account's own is what no instance had a share in.
    """
    cash = _cash(stored)
    wallets: dict[str, Decimal] = defaultdict(Decimal)
    for (reason, asset), amount in tape.by_reason.items():
        if reason not in ("REALIZED_PNL", "COMMISSION", "FUNDING_FEE"):
            wallets[asset] += amount
    for asset, amount in sums.funding_of_nobody.items():
        wallets[asset] += amount
    for base, quote in set(stored.assets.values()):
        holding = sums.positions[base + quote]
        wallets[quote] += holding.cost
        if not cash[base] == holding.quantity == views.positions.get(base + quote, ZERO):
            yield f"{base + quote}: the ledger holds {cash[base]}, the venue {views.positions.get(base + quote)}"
    for asset in {quote for _, quote in stored.assets.values()}:
        if wallets[asset] + cash[asset] != views.balances.get(asset, ZERO):
            yield f"{asset}: {wallets[asset]} and {cash[asset]} by the ledger, the wallet has {views.balances[asset]}"


def check_results(stored: Stored, views: Views, sums: Sums) -> Iterator[str]:
    """Realised + unrealised - fees = change of equity less transfers, per instance, by the results that are stored."""
    for instance, holding in sums.holdings.items():
        base, quote = stored.assets[instance]
        price = views.prices[base + quote]
        mine = f"cash:{instance}"
        others = sum(
            (amount for (account, asset), amount in sums.moved.items() if account == mine and asset != base), ZERO
        )
        equity = sums.moved[mine, base] * price + others
        unrealised = holding.quantity * price - holding.cost
        realised = stored.realised.get(instance, ZERO)
        if realised + unrealised != equity:
            yield f"instance {instance}: realised {realised} + unrealised {unrealised} is not {equity}"
        if (realised + stored.day_fees.get(instance, ZERO), stored.day_fees.get(instance, ZERO)) != (
            holding.realised, holding.fees,
        ):  # fmt: skip
            yield (
                f"instance {instance}: realised {realised} after fees {stored.day_fees.get(instance)}, "
                f"and by its trades {holding.realised} before fees {holding.fees}"
            )


class Holding:
    """Average cost, in decimals: what is closed takes its share of the cost with it, cut to the venue's finest unit.

    A fee in the base asset is a sale of that much at the trade's own price, and a fee of what it brings.
    """

    def __init__(self) -> None:
        self.quantity = self.cost = self.realised = self.fees = ZERO

    def trade(self, trade: TapeTrade, base: str, quote: str) -> None:
        """Take in an execution with its fee."""
        sign = 1 if trade.side == "BUY" else -1
        self.move(sign * trade.quantity, trade.quantity * trade.price)
        if trade.fee_asset == quote:
            self.fees += trade.fee
        elif trade.fee_asset == base:
            worth = (trade.fee * trade.price).quantize(_QUANTUM, "ROUND_DOWN")
            self.move(-trade.fee, worth)
            self.fees += worth

    def move(self, quantity: Decimal, value: Decimal) -> None:
        """Gain a quantity, or give it away below zero, for what it was worth."""
        if not quantity:
            return
        signed = value if quantity > 0 else -value
        if not self.quantity or (self.quantity > 0) == (quantity > 0):
            self.quantity, self.cost = self.quantity + quantity, self.cost + signed
            return
        closing = min(abs(quantity), abs(self.quantity))
        part = (signed * closing / abs(quantity)).quantize(_QUANTUM, "ROUND_DOWN")
        released = (self.cost * closing / abs(self.quantity)).quantize(_QUANTUM, "ROUND_DOWN")
        direction = 1 if quantity > 0 else -1
        self.quantity, self.cost = self.quantity + direction * closing, self.cost - released
        self.realised += -part - released
        if rest := abs(quantity) - closing:
            self.move(direction * rest, abs(signed - part))


@dataclass(slots=True)
class Sums:
    """What all executions so far add up to."""

    #: (ledger account, asset) -> what our trades have brought
    moved: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    #: instance -> what it holds by its trades, and what it has earned
    holdings: dict[int, Holding] = field(default_factory=lambda: defaultdict(Holding))
    #: symbol -> the account's position, by all of its trades
    positions: dict[str, Holding] = field(default_factory=lambda: defaultdict(Holding))

    #: References of the shares of funding that have to be booked; and what no instance had a share in, by asset.
    funded: set[str] = field(default_factory=set)
    funding_of_nobody: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def fund(self, symbol: str, paid: TapeFunding, stored: Stored) -> None:
        """Share a payment by what each instance holds of the symbol; what rounding leaves is the largest holder's."""
        held = {
            number: holding.quantity
            for number, holding in sorted(self.holdings.items())
            if holding.quantity and "".join(stored.assets[number]) == symbol
        }
        shares = {
            number: (paid.amount * quantity / paid.quantity).quantize(_QUANTUM, "ROUND_DOWN")
            for number, quantity in held.items()
        }
        left = paid.amount - sum(shares.values())
        if held and sum(held.values()) == paid.quantity:
            shares[max(held, key=lambda number: (abs(held[number]), -number))] += left
        else:
            self.funding_of_nobody[paid.asset] += left
        for number, amount in shares.items():
            if amount:
                self.funded.add(f"{symbol}:{paid.reference}:{number}")
                self.moved[f"cash:{number}", paid.asset] += amount
                self.holdings[number].realised += amount

    def take(self, symbol: str, trade: TapeTrade, stored: Stored) -> None:
        """Take in an execution. One of ours without an intent is complained of elsewhere."""
        signed = trade.quantity if trade.side == "BUY" else -trade.quantity
        self.positions[symbol].move(signed, trade.quantity * trade.price)
        if not _is_ours(trade) or trade.client not in stored.intents:
            return
        for name, amount in _postings(stored, trade).items():
            self.moved[name] += amount
        instance = stored.intents[trade.client].instance
        self.holdings[instance].trade(trade, *stored.assets[instance])


def _postings(stored: Stored, trade: TapeTrade) -> dict[tuple[str, str], Decimal]:
    """(ledger account, asset) -> what a trade brings its instance; a fee in a third asset is the common pool's."""
    instance = stored.intents[trade.client].instance
    base, quote = stored.assets[instance]
    mine, sign = f"cash:{instance}", 1 if trade.side == "BUY" else -1
    moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    moved[mine, base] += sign * trade.quantity
    moved[mine, quote] -= sign * trade.quantity * trade.price
    payer = mine if trade.fee_asset in (base, quote) else "cash:unallocated"
    moved[payer, trade.fee_asset] -= trade.fee
    return moved


def _cash(stored: Stored) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for (account, asset), amount in stored.balances.items():
        if account.startswith("cash:"):
            totals[asset] += amount
    return totals


def _is_ours(trade: TapeTrade) -> bool:
    return trade.client.startswith(OURS)


def _plain(fill: StoredFill) -> TapeTrade:
    return TapeTrade(
        fill.client, fill.side, fill.price, fill.quantity, fill.fee, fill.fee_asset, fill.maker, fill.time_ms
    )


def amounts(found: Mapping[str, Any]) -> dict[str, Decimal]:
    """Balances of an operator's view: plain amounts, or free and locked."""
    return {
        asset: sum((Decimal(str(part)) for part in held.values()), ZERO) if isinstance(held, Mapping) else Decimal(held)
        for asset, held in found.items()
    }
