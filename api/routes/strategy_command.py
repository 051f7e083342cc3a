"""What can be asked of a strategy: start, pause, resume, stop, flatten, reset. Each is kept before it is answered."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool

from api import views
from api.commanding import give
from api.deps import AnyServices, Trader, Viewer
from api.identity import Caller
from api.router import new_router
from api.schemas.common import IdempotencyKey, Number
from api.schemas.strategy import CommandAnswer, CommandStatus
from api.services import Services
from db.models import Command
from db.queries import pages
from db.unit_of_work import committed, reading

router = new_router("commands")


@router.post("/api/strategies/{strategy_id}/start", status_code=202)
async def start_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """Run it: a worker takes it up and brings its orders in line with what it wishes."""
    return await _command(services, caller, strategy_id, "start", idempotency_key)


@router.post("/api/strategies/{strategy_id}/pause", status_code=202)
async def pause_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """No new entries; resting exits stay."""
    return await _command(services, caller, strategy_id, "pause", idempotency_key)


@router.post("/api/strategies/{strategy_id}/resume", status_code=202)
async def resume_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """Go on after a pause."""
    return await _command(services, caller, strategy_id, "resume", idempotency_key)


@router.post("/api/strategies/{strategy_id}/stop", status_code=202)
async def stop_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """Cancel its resting orders and keep what it holds."""
    return await _command(services, caller, strategy_id, "stop", idempotency_key)


@router.post("/api/strategies/{strategy_id}/flatten", status_code=202)
async def flatten_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """Cancel its resting orders and close what it holds at market."""
    return await _command(services, caller, strategy_id, "flatten", idempotency_key)


@router.post("/api/strategies/{strategy_id}/reset", status_code=202)
async def reset_strategy(
    services: AnyServices, caller: Trader, strategy_id: Number, idempotency_key: IdempotencyKey = None
) -> CommandAnswer:
    """Forget everything it remembers and begin from scratch when it is started again. It must be stopped."""
    return await _command(services, caller, strategy_id, "reset", idempotency_key)


@router.get("/api/commands/{command_id}")
def get_command(services: AnyServices, caller: Viewer, command_id: Number) -> CommandStatus:
    """What became of a command."""
    with reading(services.database) as unit:
        return views.command(pages.command(unit, command_id, caller.id))


async def _command(services: Services, caller: Caller, number: int, kind: str, key: str | None) -> CommandAnswer:
    def keep() -> tuple[Command, pages.Listed]:
        with committed(services.database) as unit:
            given = give(unit, caller, number, kind, key, services.now())
            return given, pages.instance(unit, number, caller.id)

    given, listed = await run_in_threadpool(keep)
    services.doorbell.ring(number, kind)
    live, _ = await services.live.of_many_if_known([number])
    return CommandAnswer(
        command_id=given.id or 0, outcome=given.outcome, strategy=views.strategy(listed, live.get(number))
    )
