"""What holds for every request before a route sees it, and every answer after: hosts, forgery, headers, counts."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import NotFromOurPage, WrongHost, of_error, of_exception
from api.metrics import Metrics
from core.clock import MachineTime
from core.config import ApiSection
from domain.errors import AresError

CHANGE_HEADER: Final = "x-ares-request"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_Header = tuple[bytes, bytes]
_RAW_HEADERS: Final[list[_Header]] = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Around the whole application."""

    def __init__(self, app: ASGIApp, settings: ApiSection, metrics: Metrics, time: MachineTime) -> None:
        self._app = app
        self._metrics = metrics
        self._time = time
        public = urlsplit(settings.public_url).netloc.lower()
        # Behind a proxy without a public address every host is taken: the proxy decides which it serves.
        self._any_host = settings.auth == "proxy" and not public
        self._hosts = _LOOPBACK | ({public, public.rpartition(":")[0] or public} if public else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, hand on, add headers; nothing that goes wrong below leaves as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, request_id = self._time.steady_ns(), 500, uuid4().hex

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _dressed(message["headers"], scope["path"], request_id)
            await send(message)

        started = False

        async def send_once(message: Message) -> None:
            nonlocal started
            started = True
            await send_on(message)

        try:
            self._check(scope)
            await self._app(scope, receive, send_once)
        except AresError as error:
            await of_error(error)(scope, receive, send_once)
        except Exception as error:
            if started:
                raise
            await of_exception(error)(scope, receive, send_once)
        finally:
            seconds = (self._time.steady_ns() - began) / 1e9
            self._metrics.count_request(scope, status, seconds)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._any_host and host not in self._hosts and _without_port(host) not in self._hosts:
            raise WrongHost
        if scope["method"] in _SAFE:
            return
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        is_foreign = (origin is not None and urlsplit(origin).netloc.lower() != host) or site not in {
            None,
            "same-origin",
            "none",
        }
        if headers.get(CHANGE_HEADER) != "1" or is_foreign:
            raise NotFromOurPage


def _dressed(headers: list[_Header], path: str, request_id: str) -> list[_Header]:
    added = [*_RAW_HEADERS, (b"x-request-id", request_id.encode())]
    if path.startswith("/assets/"):
        return [*headers, *added]
    return [*(pair for pair in headers if pair[0] != b"cache-control"), *added, (b"cache-control", b"no-store")]


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
