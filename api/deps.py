"""What routes ask for: the services, and who calls with at least which role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

import structlog
from fastapi import Depends, Request

from api import identity
from api.errors import NotAllowed, TooMany
from api.identity import Caller
from api.services import Services
from domain.sentences import say

log = structlog.get_logger(__name__)


async def services_of(request: Request) -> Services:
    """The services of the application that answers. Not awaiting anything, it still saves the way to a thread."""
    return cast("Services", request.app.state.services)


def _at_least(role: str) -> Callable[[Request], Awaitable[Caller]]:
    async def caller(request: Request) -> Caller:
        """Who asks; `NotSignedIn`, `NotAllowed`, and `TooMany` for those who change too much at once."""
        services = await services_of(request)
        found = await services.identity.caller(request)
        if not found.may(role):
            log.warning("not_allowed", who=found.login, role=found.role, needs=role, path=request.url.path)
            raise NotAllowed(
                say(
                    "needs_role",
                    "this needs the role {role}, and yours is {yours}; ask an administrator.",
                    role=role,
                    yours=found.role,
                )
            )
        if request.method not in {"GET", "HEAD"} and not services.changes.allows(str(found.id)):
            raise TooMany
        return found

    return caller


AnyServices = Annotated[Services, Depends(services_of)]
Viewer = Annotated[Caller, Depends(_at_least(identity.VIEWER))]
Trader = Annotated[Caller, Depends(_at_least(identity.TRADER))]
Admin = Annotated[Caller, Depends(_at_least(identity.ADMIN))]
