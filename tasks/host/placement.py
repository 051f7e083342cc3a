"""Who should run what, worked out alike by every worker from the same list of members, without a leader."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from core.editions import UNTOLD, Edition

_SPAN = 1 << 64


class Member(NamedTuple):
    """A worker that is there."""

    worker_id: str
    capacity: int
    tags: frozenset[str]
    edition: Edition = UNTOLD


def newest(members: Iterable[Member]) -> list[Member]:
    """The members of the newest edition there is: strategies move to nobody else."""
    there = list(members)
    latest = max((member.edition for member in there), default=UNTOLD)
    return [member for member in there if member.edition == latest]


def owner_of(account: int, tags: Collection[str], members: Iterable[Member]) -> str:
    """The member that should run an account: one that offers every tag; empty text when none does.

    Each member draws a number for each account, the highest wins, and more capacity raises the chance in proportion.
    So a member that comes or goes moves only what becomes its own, or was.
    """
    able = [member for member in members if member.tags.issuperset(tags)]
    if not able:
        return ""
    return max(able, key=lambda member: (_draw(member, account), member.worker_id)).worker_id


def _draw(member: Member, account: int) -> float:
    digest = hashlib.blake2b(f"{member.worker_id}:{account}".encode(), digest_size=8).digest()
    chance = (int.from_bytes(digest, "big") + 1) / (_SPAN + 1)
    return -member.capacity / math.log(chance)
