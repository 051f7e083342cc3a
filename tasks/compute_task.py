"""The workers that keep a processor busy: backtests, optimisation and training run there, never beside an engine."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery import bootsteps, current_app, shared_task
from redis.exceptions import RedisError

import strategies
from core.base_strategy import STRATEGIES
from core.clock import system_clock
from core.config import load_config
from core.event_bus import RUN, EventBus
from core.logs import configure_logs
from core.redis_client import connect
from core.task_names import COMPUTE_IMPORT, COMPUTE_RUN, QUEUE_COMPUTE
from db.database import Database, open_database
from db.queries import imports, runs
from db.unit_of_work import reading
from domain.errors import Transient

if TYPE_CHECKING:
    from tasks.imports import Intake
    from tasks.runs import Laboratory

log = structlog.get_logger(__name__)

#: How often, within the time of a claim, it is looked for runs on which nobody works.
LOOKS: Final = 3
#: One piece of work may take so long; longer ones are cut into smaller pieces.
LONGEST_SECONDS: Final = 6 * 3600
#: Seconds after which a second call for a deserted run is worth nothing.
_EXPIRES: Final = 60


@shared_task(name="compute.canary", queue=QUEUE_COMPUTE, ignore_result=False)  # type: ignore[untyped-decorator]
def canary(number: int) -> int:
    """Shows that a compute worker answers: the sum of the squares below a number."""
    return sum(each * each for each in range(int(number)))


@shared_task(name=COMPUTE_RUN, queue=QUEUE_COMPUTE, time_limit=LONGEST_SECONDS)  # type: ignore[untyped-decorator]
def run(run_id: int) -> None:
    """Do one piece of a run and ask for the next. Lost, late or doubled it does no harm: rows say what is done."""
    laboratory = _laboratory()
    try:
        more = laboratory.work(int(run_id))
    except Transient as error:
        # The run is found deserted and asked for again.
        log.warning("run_interrupted", run=run_id, reason=str(error))
        return
    with reading(laboratory.database) as unit:
        row = runs.get(unit, int(run_id))
    if row is not None:
        _tell(row.owner_id, {"kind": row.kind, **_told(row)})
    for _ in range(more):
        ask_for(COMPUTE_RUN, int(run_id))


@shared_task(name=COMPUTE_IMPORT, queue=QUEUE_COMPUTE, time_limit=LONGEST_SECONDS)  # type: ignore[untyped-decorator]
def take_in(import_id: int) -> None:
    """Make a history of what was sent in, or of what a venue tells. As with runs, rows say what is done."""
    intake = _intake()
    try:
        intake.work(int(import_id))
    except Transient as error:
        log.warning("import_interrupted", number=import_id, reason=str(error))
        return
    with reading(intake.database) as unit:
        row = imports.get(unit, int(import_id))
    if row is not None:
        _tell(row.owner_id, {"kind": "import", **_told(row)})


def ask_for(task: str, number: int, **options: Any) -> None:
    """Have some compute worker do a piece of a run, or take a history in."""
    current_app.send_task(task, args=[number], queue=QUEUE_COMPUTE, ignore_result=True, **options)


@cache
def _database(process: int) -> Database:
    """The one of this process: connections do not survive a fork."""
    del process
    return open_database(load_config().database.url.get_secret_value())


_MINE: Final[dict[tuple[int, str], Any]] = {}


def _laboratory() -> Laboratory:
    """The one of this process."""
    # The backtester is loaded where it works: nodes that trade have no use for it.
    from tasks.runs import Laboratory

    place = os.getpid(), "laboratory"
    if place not in _MINE:
        STRATEGIES.scan(strategies)
        claim = timedelta(seconds=load_config().worker.claim_seconds)
        _MINE[place] = Laboratory(_database(place[0]), system_clock().machine, _name(), claim=claim)
    found: Laboratory = _MINE[place]
    return found


def _intake() -> Intake:
    """The one of this process."""
    from tasks.imports import Intake

    place = os.getpid(), "intake"
    if place not in _MINE:
        config = load_config()
        claim, folder = timedelta(seconds=config.worker.claim_seconds), config.home / "histories"
        _MINE[place] = Intake(
            _database(place[0]), system_clock().machine, _name(), folder, dict(config.venues), claim=claim
        )
    found: Intake = _MINE[place]
    return found


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def _told(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "state", "done", "total", "error")}


def _tell(owner: int, told: dict[str, Any]) -> None:
    """How far something is, for those who watch; nobody depends on it."""

    async def publish() -> None:
        redis = connect(load_config().redis.url.get_secret_value())
        try:
            await EventBus(redis).publish(RUN, owner, told)
        finally:
            await redis.aclose()

    try:
        asyncio.run(publish())
    except (RedisError, OSError) as error:
        log.warning("run_not_told", **told, cause=type(error).__name__)


class LookoutStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """With a worker of the compute queue: asks again for work whose worker has died or whose message was lost."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = QUEUE_COMPUTE in parent.app.amqp.queues.consume_from
        self._is_over = threading.Event()

    def start(self, parent: Any) -> None:
        """Begin to look."""
        del parent
        configure_logs(load_config().log.level, load_config().log.style)
        threading.Thread(target=self._look, name="lookout", daemon=True).start()

    def stop(self, parent: Any) -> None:
        """Look no more."""
        del parent
        self._is_over.set()

    def _look(self) -> None:
        while not self._is_over.wait(load_config().worker.claim_seconds / LOOKS):
            try:
                for number in _intake().deserted():
                    ask_for(COMPUTE_IMPORT, number, expires=_EXPIRES)
                for number in _laboratory().deserted():
                    ask_for(COMPUTE_RUN, number, expires=_EXPIRES)
            except Exception as error:  # noqa: BLE001 - it looks again in a moment
                log.warning("lookout_failed", error=type(error).__name__)


current_app.steps["worker"].add(LookoutStep)
