"""Celery's panel, extended by the strategies that run here: `inspect active` lists them, `revoke` stops one."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from celery.worker.control import Panel, control_command, inspect_command

from tasks.events import TASK, runs
from tasks.host.runner import Runner
from tasks.node import NODE

RUN_ID: Final = re.compile(r"(\d{1,18})-(\d{1,18})")
_active = Panel.data["active"]
_revoke = Panel.data["revoke"]


@inspect_command(alias="dump_active")  # type: ignore[untyped-decorator]
def active(state: Any, safe: bool = False, **options: Any) -> list[dict[str, Any]]:
    """List of tasks currently being executed, and of strategies that run."""
    del options
    found: list[dict[str, Any]] = _active(state, safe=safe)
    host = NODE.host
    return found if host is None else found + [_row(runner, state.hostname) for runner in host.runners if runs(runner)]


@control_command(
    variadic="task_id", signature="[id1 [id2 [... [idN]]]]", args=[("task_id", str), ("terminate", bool)]
)  # type: ignore[untyped-decorator]  # fmt: skip
def revoke(
    state: Any, task_id: str | list[str], terminate: bool = False, signal: str | None = None, **options: Any
) -> Any:
    """Revoke tasks by id; a strategy's run is stopped when it is to be terminated, keeping what it holds."""
    ids = [task_id] if isinstance(task_id, str) else list(task_id or ())
    runs = [one for one in ids if RUN_ID.fullmatch(one)]
    others = [one for one in ids if one not in runs]
    stopped = [run for run in runs if terminate and _stop(run)]
    if others or not runs:
        return _revoke(state, others, terminate=terminate, signal=signal, **options)
    return {"ok": f"strategies stopping: {', '.join(stopped) or 'none of these runs here'}"}


def _stop(run: str) -> bool:
    number, epoch = map(int, run.split("-"))
    host, thread = NODE.host, NODE.thread
    runner = host.runner(number) if host is not None else None
    if host is None or thread is None or runner is None or runner.engine is None or runner.engine.epoch != epoch:
        return False
    thread.call(lambda: host.stop_strategy(runner, "flower"))
    return True


def _row(runner: Runner, hostname: str) -> dict[str, Any]:
    epoch = runner.engine.epoch if runner.engine is not None else 0
    return {
        "id": f"{runner.number}-{epoch}",
        "name": TASK,
        "args": [runner.number],
        "kwargs": {},
        "type": TASK,
        "hostname": hostname,
        "time_start": runner.started_ms / 1000,
        "acknowledged": True,
        "delivery_info": {"exchange": "", "routing_key": "engine", "priority": 0, "redelivered": False},
        "worker_pid": os.getpid(),
    }
