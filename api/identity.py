"""Who asks. Locally a signed-in browser; behind a sign-in proxy whoever the proven proxy names."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.errors import BadFields, FieldError, NotAllowed, NotSignedIn
from api.threads import within
from core.clock import MachineTime, utc_from_ms
from core.config import ApiSection
from db.database import Database
from db.models import User
from db.queries import accounts, audit, sessions
from db.unit_of_work import DatabaseUnavailable, committed, reading
from domain.errors import Refused
from domain.sentences import say

COOKIE: Final = "ares_session"
PROOF_HEADER: Final = "x-ares-proxy-secret"
#: What the proxy tells of a person. The shape of a name in another spelling is no name.
PROXY_USER: Final = "x-forwarded-user"
PROXY_EMAIL: Final = "x-forwarded-email"
SHORTEST_SECRET: Final = 32

VIEWER: Final = "viewer"
TRADER: Final = "trader"
ADMIN: Final = "admin"
ROLES: Final = (VIEWER, TRADER, ADMIN)

#: For how long what the database said of a person is believed: who is disabled loses their rights within it.
_FRESH_NS: Final = 5_000_000_000
#: For how long it is still good enough to stop trading with, while the database cannot be asked.
_STALE_NS: Final = 12 * 3_600_000_000_000
#: How long the database is waited for when there is something to stop.
_EMERGENCY_SECONDS: Final = 1.0
_MOST_REMEMBERED: Final = 10_000


class IdentityChanged(Refused):
    """This login came with another e-mail address before; ask an administrator to confirm who you are."""


class Caller(NamedTuple):
    """Who asks."""

    id: int
    login: str
    display_name: str
    role: str

    def may(self, role: str) -> bool:
        """Whether their role includes another."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Identity(Protocol):
    """Tells who asks."""

    mode: str

    async def caller(self, request: Request, *, in_emergency: bool = False) -> Caller:
        """Who asks, or `NotSignedIn`. In an emergency the database may be down: who was known before is known."""

    def came_through_the_front_door(self, request: Request) -> bool:
        """Whether the request came by way of the sign-in proxy."""


class _Memory:
    """What the database said of people, for a while."""

    def __init__(self, time: MachineTime) -> None:
        self._time = time
        self._known: dict[str, tuple[int, Caller]] = {}

    def recall(self, key: str, within_ns: int = _FRESH_NS) -> Caller | None:
        found = self._known.get(key)
        if found is None or self._time.steady_ns() - found[0] > within_ns:
            return None
        return found[1]

    def keep(self, key: str, caller: Caller) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (self._time.steady_ns(), caller)

    def forget(self, key: str) -> None:
        self._known.pop(key, None)

    async def ask(self, key: str, load: Callable[[], Caller | None], *, in_emergency: bool) -> Caller:
        """Who it is: as remembered, or as the database says."""
        if known := self.recall(key):
            return known
        try:
            found = await (within(_EMERGENCY_SECONDS, load) if in_emergency else run_in_threadpool(load))
        except DatabaseUnavailable:
            before = self.recall(key, _STALE_NS)
            if not in_emergency or before is None:
                raise
            return before
        if found is None:
            self.forget(key)
            raise NotSignedIn
        self.keep(key, found)
        return found


class LocalIdentity:
    """One local user, signed in by a link that works once."""

    mode = "local"

    def __init__(self, engine: Database, time: MachineTime, session: timedelta) -> None:
        self._engine = engine
        self._time = time
        self._session = session
        self._memory = _Memory(time)

    async def caller(self, request: Request, *, in_emergency: bool = False) -> Caller:
        """Whose browser this is."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            raise NotSignedIn
        return await self._memory.ask(sessions.hash_of(token), lambda: self._user_of(token), in_emergency=in_emergency)

    def came_through_the_front_door(self, request: Request) -> bool:
        """There is no proxy here."""
        del request
        return False

    def sign_in(self, link: str) -> str:
        """Spend a login link; gives the token of a new session. `LinkSpent` when it is not good."""
        now = self._now()
        try:
            return self._spend(link, now)
        except sessions.LinkSpent:
            with committed(self._engine) as unit:
                audit.record(unit, audit.Deed("nobody", "sign_in_refused", {"mode": "local"}), now)
            raise

    def _spend(self, link: str, now: datetime) -> str:
        with committed(self._engine) as unit:
            owner = sessions.spend_link(unit, link, now)
            token = sessions.begin(unit, owner, now, self._session)
            user = unit.session.get(User, owner)
            audit.record(unit, audit.Deed(user.login if user else "?", "sign_in", {"mode": "local"}, owner), now)
        return token

    def sign_out(self, token: str, caller: Caller) -> None:
        """End a session at once, here and everywhere."""
        with committed(self._engine) as unit:
            sessions.end(unit, token)
            audit.record(unit, audit.Deed(caller.login, "sign_out", {}, caller.id), self._now())
        self._memory.forget(sessions.hash_of(token))

    def _user_of(self, token: str) -> Caller | None:
        with reading(self._engine) as unit:
            found = sessions.user_of(unit, token, self._now())
            return None if found is None else caller_of(found)

    def _now(self) -> datetime:
        return utc_from_ms(self._time.now_ms())


class ProxyIdentity:
    """Whom the sign-in proxy names, on requests that prove to come from it."""

    mode = "proxy"

    def __init__(self, engine: Database, time: MachineTime, settings: ApiSection) -> None:
        secret = settings.proxy_secret.get_secret_value() if settings.proxy_secret else ""
        if len(secret) < SHORTEST_SECRET or len(set(secret)) < SHORTEST_SECRET // 4:
            raise Refused(
                say(
                    "short_proxy_secret",
                    "api.proxy_secret must be {least} characters or more, drawn at random; set "
                    "ARES_API__PROXY_SECRET to what `openssl rand -hex 32` gives.",
                    least=SHORTEST_SECRET,
                )
            )
        self._secret = secret.encode()
        self._engine = engine
        self._time = time
        self._settings = settings
        self._memory = _Memory(time)

    async def caller(self, request: Request, *, in_emergency: bool = False) -> Caller:
        """Whom the proxy names."""
        if not self.came_through_the_front_door(request):
            raise NotSignedIn
        login, email = _only(request, PROXY_USER).strip().lower(), _only(request, PROXY_EMAIL).strip().lower()
        if not login or len(login) > 190 or not login.isascii() or not login.isprintable():
            raise NotSignedIn
        return await self._memory.ask(
            f"{login} {email}", lambda: self._user_named(login, email), in_emergency=in_emergency
        )

    def came_through_the_front_door(self, request: Request) -> bool:
        """Whether the request carries the proxy's secret."""
        given = request.headers.getlist(PROOF_HEADER)
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._secret)

    def _user_named(self, login: str, email: str) -> Caller:
        with reading(self._engine) as unit:
            found = accounts.user_named(unit, login)
        if found is None or (found.email is None and email):
            found = self._meet(login, email)
        if found.disabled:
            raise NotAllowed(say("your_account_is_disabled", "your account is disabled; ask an administrator."))
        if email and found.email and found.email != email:
            raise IdentityChanged
        return caller_of(found)

    def _meet(self, login: str, email: str) -> User:
        """The first sign-in of a person; two at once meet the same row."""
        now = utc_from_ms(self._time.now_ms())
        role = ADMIN if login in {one.lower() for one in self._settings.admins} else self._settings.first_role
        with committed(self._engine) as unit:
            found = accounts.user_named(unit, login)
            if found is None:
                new = User(login=login, display_name=login, role=role, created_at=now, email=email or None)
                found = accounts.add_user(unit, new)
                audit.record(unit, audit.Deed(login, "first_sign_in", {"role": role}, found.id), now)
            elif found.email is None:
                found.email = email
            return found


def caller_of(user: User) -> Caller:
    """A row as who asks."""
    assert user.id is not None  # noqa: S101 - the row has been written
    return Caller(user.id, user.login, user.display_name, user.role if user.role in ROLES else VIEWER)


def _only(request: Request, name: str) -> str:
    """The one value of a header. A second one, or another spelling of its name, is somebody's trick."""
    spellings = [key for key, _ in request.headers.raw if _plain(key.decode("latin-1")) == name]
    if len(spellings) > 1:
        raise BadFields([FieldError(name, say("given_twice", "it is given more than once"))])
    return request.headers.get(name, "")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
