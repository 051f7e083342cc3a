"""Who may follow whom: nobody copies a copy of itself, over however many steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.errors import Refused, sentence_of
from domain.sentences import say


class FollowsItself(Refused):
    """An account cannot follow itself; choose another master or another account."""


class FollowsInACircle(Refused):
    """This would close a circle of accounts that follow one another; end one of the other relationships first."""


def circle(follows: Iterable[tuple[int, int]], follower: int, master: int) -> list[int]:
    """The accounts of the circle that a new relationship would close, from the master to the follower; or none.

    `follows` are pairs of accounts: (follower, the account whose positions its master has).
    """
    masters: dict[int, set[int]] = {}
    for one, other in follows:
        masters.setdefault(one, set()).add(other)
    came_from = {master: 0}
    waiting = [master]
    while waiting:
        here = waiting.pop()
        if here == follower:
            path = [here]
            while came_from[path[-1]]:
                path.append(came_from[path[-1]])
            return path[::-1]
        for there in masters.get(here, ()):
            if there not in came_from:
                came_from[there] = here
                waiting.append(there)
    return []


def require_no_circle(follows: Iterable[tuple[int, int]], follower: int, master: int) -> None:
    """`FollowsItself` or `FollowsInACircle`, naming the accounts; nothing when the relationship may be made."""
    if follower == master:
        raise FollowsItself(
            say("of_follower", "account {follower}: {what}", follower=follower, what=sentence_of(FollowsItself))
        )
    if found := circle(follows, follower, master):
        raise FollowsInACircle(
            say(
                "of_followers",
                "accounts {accounts}: {what}",
                accounts=" -> ".join(map(str, [follower, *found])),
                what=sentence_of(FollowsInACircle),
            )
        )


def circular(follows: Mapping[int, tuple[int, int]]) -> set[int]:
    """The relationships that are part of a circle; `follows` are the pairs of each: (follower, account of its master).

    None can be made, but two that are made at the same moment, each without sight of the other, may close one.
    """
    left = dict(follows)
    while True:
        followers, masters = {pair[0] for pair in left.values()}, {pair[1] for pair in left.values()}
        kept = {number: pair for number, pair in left.items() if pair[0] in masters and pair[1] in followers}
        if len(kept) == len(left):
            break
        left = kept
    pairs = set(left.values())
    return {number for number, (follower, master) in left.items() if circle(pairs, follower, master)}
