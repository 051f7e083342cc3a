"""Who is signed in. Locally a link signs in once; behind a proxy the proxy does."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Literal, cast

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from api import views
from api.deps import AnyServices, Viewer
from api.errors import NotAllowed, TooMany
from api.identity import COOKIE, LocalIdentity
from api.router import new_router
from api.schemas.platform import Session, User
from db.queries import platform
from db.unit_of_work import reading
from domain.sentences import say

router = new_router("session")

Token = Annotated[str, Query(min_length=1, max_length=200, description="From the link of `ares up` or `ares login`.")]


@router.get("/login", status_code=303, response_class=RedirectResponse)
async def login(services: AnyServices, request: Request, token: Token) -> RedirectResponse:
    """Spend a login link and go to the dashboard."""
    if not isinstance(services.identity, LocalIdentity):
        raise NotAllowed(say("sign_in_at_front_door", "sign in at the front door; links are for the local user."))
    if not services.logins.allows(request.client.host if request.client else "?"):
        raise TooMany
    session = await run_in_threadpool(services.identity.sign_in, token)
    answer = RedirectResponse("/", status_code=303)
    seconds = services.config.api.session_hours * 3600
    answer.set_cookie(COOKIE, session, max_age=seconds, path="/", httponly=True, samesite="strict")
    return answer


@router.get("/api/session")
def get_session(services: AnyServices, caller: Viewer) -> Session:
    """Who you are, and whether the kill switch is on."""
    with reading(services.database) as unit:
        state = platform.kill_state(unit)
    return Session(
        user=User.model_validate(caller._asdict()),
        mode=cast('Literal["local", "proxy"]', services.identity.mode),
        version=version("ares"),
        time_zone=services.config.api.time_zone,
        kill=views.kill(state, caller),
    )


@router.delete("/api/session", status_code=204)
async def delete_session(services: AnyServices, caller: Viewer, request: Request, response: Response) -> None:
    """Sign out, at once and everywhere."""
    if isinstance(services.identity, LocalIdentity):
        await run_in_threadpool(services.identity.sign_out, request.cookies.get(COOKIE, ""), caller)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
