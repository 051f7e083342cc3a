"""Shares of exact amounts. The product of two amounts may need more than 64 bits, its share does not."""

from __future__ import annotations


def scaled(amount: int, times: int, over: int) -> int:
    """`amount * times / over`, rounded down; `times` is not below zero and `over` is above it.

    Compiled code gets a form of it that carries the product in 128 bits; any other product of the law has to fit 64.
    """
    return amount * times // over
