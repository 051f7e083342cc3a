"""Bars of a longer interval into one-minute bars whose aggregate is exactly the original.

A row whose volume gives every minute its full number of prints trades in all of them; a thinner row trades in evenly
spread minutes and the others are empty, so that the number of prints before any minute is known without computing it.
"""

from __future__ import annotations

import numpy as np

from simulator.market.expansion import Columns, between, portions, turning_points
from simulator.market.hashing import mix_range
from simulator.market.tables import Integers


def active_minutes(volume: Integers, minutes: int, prints: int) -> Integers:
    """In how many of its minutes a row trades."""
    return np.where(volume == 0, 0, np.clip(volume // prints, 1, minutes))


def print_counts(volume: Integers, minutes: int, prints: int) -> Integers:
    """How many prints a row of `minutes` minutes has in all."""
    return np.where(volume < prints, volume, active_minutes(volume, minutes, prints) * prints)


def to_minutes(key: int, first_row: int, rows: Columns, minutes: int, prints: int) -> Columns:
    """One-minute bars of consecutive rows; minutes without trades stand at the close before them."""
    if minutes == 1:
        return rows
    size = len(rows) * minutes
    made = [np.zeros((len(rows), minutes), np.int64) for _ in range(5)]
    active = active_minutes(rows.volume, minutes, prints)
    for count in np.unique(active):
        where = np.flatnonzero(active == count)
        if count == 0:
            for column in made[:4]:
                column[where] = rows.close[where, None]
            continue
        some = Columns(*(column[where] for column in rows.arrays()))
        pieces = _divide(key, first_row + where, some, int(count), prints)
        places = np.arange(count) * minutes // count
        _lay_out(made, pieces, where, places)
    return Columns(*(column.reshape(size) for column in made))


def _lay_out(made: list[Integers], pieces: Columns, where: Integers, places: Integers) -> None:
    """Put the pieces in their minutes, and the close before it into every empty minute."""
    minutes = made[0].shape[1]
    source = np.searchsorted(places, np.arange(minutes), side="right") - 1
    for column in made[:4]:
        column[where] = pieces.close[:, source]
    for column, piece in zip(made, pieces.arrays(), strict=True):
        column[where[:, None], places[None, :]] = piece


def _divide(key: int, numbers: Integers, rows: Columns, count: int, prints: int) -> Columns:
    """Rows into `count` bars each, as arrays of (rows, count)."""
    if count == 1:
        return Columns(*(column[:, None] for column in rows.arrays()))
    own = mix_range(key, numbers, salt=2)
    one, two = turning_points(rows, own)
    turn = ((own >> np.uint64(8)) & np.uint64(0xFFFFF)).astype(np.int64) % count
    back = turn + ((own >> np.uint64(28)) & np.uint64(0xFFFFF)).astype(np.int64) % (count - turn)
    places = numbers[:, None] * 16_384 + np.arange(count + 1)
    chance = mix_range(key, places, salt=3)
    edges = _edges(rows, one, two, turn, back, (chance & np.uint64(0xFFFF)).astype(np.int64))
    opens, closes = edges[:, :-1], edges[:, 1:]
    reach = (rows.high - rows.low)[:, None] // (2 * count)
    above = (reach * ((chance[:, 1:] >> np.uint64(16)) & np.uint64(0xFF)).astype(np.int64)) >> 8
    below = (reach * ((chance[:, 1:] >> np.uint64(24)) & np.uint64(0xFF)).astype(np.int64)) >> 8
    high = np.minimum(np.maximum(opens, closes) + above, rows.high[:, None])
    low = np.maximum(np.minimum(opens, closes) - below, rows.low[:, None])
    every = np.arange(len(rows))
    for place, price in ((turn, one), (back, two)):
        high[every, place] = np.maximum(high[every, place], price)
        low[every, place] = np.minimum(low[every, place], price)
    weight = 64 + ((chance[:, 1:] >> np.uint64(32)) & np.uint64(0xFF)).astype(np.int64)
    return Columns(opens, high, low, closes, _share(rows.volume, weight, prints))


def _edges(rows: Columns, one: Integers, two: Integers, turn: Integers, back: Integers, chance: Integers) -> Integers:
    """The prices at which the minutes meet: open, ..., close."""
    count = chance.shape[1] - 1
    number = np.arange(count + 1)[None, :]
    first, second = turn[:, None], back[:, None]
    to_one, to_two = number <= first, number <= second
    start = np.where(to_one, rows.open[:, None], np.where(to_two, one[:, None], two[:, None]))
    end = np.where(to_one, one[:, None], np.where(to_two, two[:, None], rows.close[:, None]))
    begun = np.where(to_one, 0, np.where(to_two, first, second))
    ended = np.where(to_one, first + 1, np.where(to_two, second + 1, count))
    return between(start, end, number - begun, ended - begun, chance)


def _share(volume: Integers, weight: Integers, prints: int) -> Integers:
    """Each minute gets its prints' worth of lots, and its weight's part of the rest."""
    rows, count = weight.shape
    row = np.repeat(np.arange(rows), count)
    done = np.cumsum(weight, axis=1)
    parts = portions(volume - prints * count, row, done.reshape(-1), done[:, -1], np.arange(rows) * count)
    return prints + parts.reshape(rows, count)
