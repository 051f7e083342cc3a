"""What somebody has on an API node: made when it is first asked for, with all that hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final

from db.queries import runs
from tests.api_node import GRID, ApiNode
from tests.histories import chance
from tests.runs import share

BACKTEST: Final[dict[str, Any]] = {"strategy": "grid", "params": GRID}
SEARCH: Final[dict[str, Any]] = {"strategy": "grid", "space": {name: str(value) for name, value in GRID.items()}}
UPLOAD: Final[dict[str, Any]] = {"name": "mine", "file_name": "bars.csv", "symbol": "BTC/USDT", "size": 4}
#: Kinds of runs, and where they are asked for.
RUNS: Final = {"backtest": "backtests", "optimisation": "optimisations", "account_backtest": "account-backtests"}
_numbers = count()


class Belongings(dict[str, int]):
    """Numbers of what somebody has, by the names that paths give them."""

    def __init__(self, node: ApiNode, who: str = "olga") -> None:
        super().__init__()
        self._node, self._who = node, who

    def __missing__(self, name: str) -> int:
        self.update(_MAKERS[name](self._node, self._who))
        return self[name]

    def complete(self) -> Belongings:
        """With everything made."""
        for name in _MAKERS:
            assert self[name]
        return self


def make_room(node: ApiNode, who: str = "olga") -> None:
    """End what is unfinished of somebody: there can be only so much of it at once."""
    drop_imports(node, who)
    for path in RUNS.values():
        for one in node.get(f"/api/{path}?limit=500", who).json()["items"]:
            if one["state"] in runs.OPEN:
                node.post(f"/api/{path}/{one['id']}/cancel", who=who)


def drop_imports(node: ApiNode, who: str) -> None:
    """Take back every history of somebody that is on its way in."""
    for one in node.get("/api/history-imports?limit=500", who).json()["items"]:
        node.call("DELETE", f"/api/history-imports/{one['id']}", who)


def _trading(node: ApiNode, who: str) -> dict[str, int]:
    """An account on which a strategy trades, and which follows a master."""
    number = next(_numbers)
    account = node.add_account(who, f"account {number}")
    strategy = node.add_strategy(account, who, f"strategy {number}")
    command = node.post(f"/api/strategies/{strategy}/stop", who=who).json()["command_id"]
    master, relationship, follow_command = node.add_following(account, who, f"master {number}")
    return {
        "account_id": account, "strategy_id": strategy, "command_id": command, "master_id": master,
        "relationship_id": relationship, "follow_command_id": follow_command,
    }  # fmt: skip


def _ended_run(kind: str) -> Callable[[ApiNode, str], dict[str, int]]:
    """One that has ended, and so leaves room for others."""

    def make(node: ApiNode, who: str) -> dict[str, int]:
        path, member = f"/api/{RUNS[kind]}", {"history_id": node.add_history()}
        bodies = {
            "backtest": BACKTEST | member,
            "optimisation": SEARCH | member,
            "account_backtest": {"capital": "1000", "instances": [BACKTEST | member]},
        }
        answer = node.post(path, bodies[kind], who)
        assert answer.status_code == 202, answer.text
        return {f"{kind}_id": int(node.post(f"{path}/{answer.json()['id']}/cancel", who=who).json()["id"])}

    return make


def _history(node: ApiNode, who: str) -> dict[str, int]:
    number = next(_numbers)
    return {"history_id": share(node.engine, chance(number, 200), f"mine-{number}", node.people[who])}


def _coming(node: ApiNode, who: str) -> dict[str, int]:
    """A history on its way in, with room for others."""
    drop_imports(node, who)
    answer = node.post("/api/history-imports", UPLOAD | {"name": f"coming-{next(_numbers)}"}, who)
    assert answer.status_code == 201, answer.text
    return {"import_id": int(answer.json()["id"])}


_MAKERS: Final[dict[str, Callable[[ApiNode, str], dict[str, int]]]] = {
    **dict.fromkeys(
        ("account_id", "strategy_id", "command_id", "master_id", "relationship_id", "follow_command_id"), _trading
    ),
    **{f"{kind}_id": _ended_run(kind) for kind in RUNS},
    "history_id": _history,
    "import_id": _coming,
}
NAMES: Final = tuple(_MAKERS)
