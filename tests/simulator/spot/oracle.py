"""Balances computed from the tape alone, by none of the exchange's code."""

from __future__ import annotations

from decimal import Decimal

from simulator.tape import Tape

_QUANTUM = Decimal(10) ** 8


def replayed_balances(tape: Tape) -> dict[tuple[object, str], tuple[int, int]]:
    """(account, asset) -> (free, locked) in quanta after every posting, each checked by its own balance."""
    sums: dict[tuple[object, str, str], int] = {}
    for record in tape.records(kind="posting"):
        key = (record["account"], str(record["asset"]), str(record["bucket"]))
        sums[key] = sums.get(key, 0) + int(Decimal(str(record["delta"])) * _QUANTUM)
        assert sums[key] == int(Decimal(str(record["balance"])) * _QUANTUM), record
    pairs = {(account, asset) for account, asset, _ in sums}
    return {
        (account, asset): (sums.get((account, asset, "free"), 0), sums.get((account, asset, "locked"), 0))
        for account, asset in pairs
    }
