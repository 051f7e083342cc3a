"""The kill switch. It works while Redis or the database is down."""

from __future__ import annotations

from fastapi import Request

from api import identity, views
from api.deps import AnyServices, Viewer
from api.errors import NotAllowed
from api.identity import Caller
from api.kill import Reached
from api.router import new_router
from api.schemas.platform import Kill, KillAnswer, KillBody
from api.services import Services
from db.queries import platform
from db.unit_of_work import reading
from domain.sentences import say

router = new_router("kill switch")


@router.get("/api/kill-switch")
def get_kill_switch(services: AnyServices, caller: Viewer) -> Kill:
    """The switch as it holds for you."""
    with reading(services.database) as unit:
        return views.kill(platform.kill_state(unit), caller)


@router.post("/api/kill-switch")
async def set_kill_switch(services: AnyServices, request: Request, body: KillBody) -> KillAnswer:
    """Turn it. On: nothing is opened, resting orders are cancelled. Every way to the workers is tried at once."""
    caller = await services.identity.caller(request, in_emergency=body.on)
    scope = _scope(caller, body)
    owner = None if scope == "all" else caller.id
    reached = await services.kill.turn(body.on, caller, owner)
    return _answer(services, caller, body, scope, reached)


def _scope(caller: Caller, body: KillBody) -> str:
    if not caller.may(identity.TRADER):
        raise NotAllowed(say("needs_trader", "this needs the role trader; ask an administrator."))
    scope = body.scope or ("all" if caller.may(identity.ADMIN) else "mine")
    if scope == "all" and not caller.may(identity.ADMIN):
        raise NotAllowed(
            say(
                "needs_admin_for_all",
                "only an administrator turns everybody's switch; turn your own, with the scope mine.",
            )
        )
    return scope


def _answer(services: Services, caller: Caller, body: KillBody, scope: str, reached: Reached) -> KillAnswer:
    return KillAnswer(
        on=body.on,
        by=caller.login,
        at=services.now(),
        scope="all" if scope == "all" else "mine",
        database=reached.database,
        redis=reached.redis,
        workers=reached.workers,
    )
