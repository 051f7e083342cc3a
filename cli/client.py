"""The command line as a client of the API: signed in by a session kept in the home folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx

from cli.installation import Installation
from core.config import Config
from domain.errors import Refused, Transient

COOKIE: Final = "ares_session"


class NotRunning(Refused):
    """Ares is not running here; `ares up` starts it."""


class ApiRefused(Refused):
    """The API refused."""


class ApiDown(Transient):
    """The API does not answer; `ares status` shows what runs."""


class Client:
    """Asks the API of this folder's installation."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._token = config.home / "cli.session"
        record = Installation(config.home).record()
        if record is None or not record.page:
            raise NotRunning
        self.page = record.page

    def get(self, path: str, **query: Any) -> Any:
        """What a path answers."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """What comes of a command or a new thing."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """What comes of a change."""
        return self._ask("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """What comes of taking something away."""
        return self._ask("DELETE", path)

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, self._kept_token() or self._new_token(), options)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = self._send(method, path, self._new_token(), options)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise ApiRefused(_words(answer))

    def _send(self, method: str, path: str, token: str, options: dict[str, Any]) -> httpx.Response:
        headers = {"X-Ares-Request": "1"}
        try:
            return httpx.request(
                method, self.page + path, headers=headers, cookies={COOKIE: token}, timeout=15, **options
            )
        except httpx.TransportError as error:
            raise ApiDown from error

    def _kept_token(self) -> str:
        return self._token.read_text() if self._token.is_file() else ""

    def _new_token(self) -> str:
        from cli import login  # the database is slow to load, and not needed while a session is kept

        token = login.session(self._config)
        self._token.unlink(missing_ok=True)
        self._token.touch(mode=0o600)
        self._token.write_text(token)
        return token


def _words(answer: httpx.Response) -> str:
    """A problem as one or more sentences."""
    try:
        problem = answer.json()
    except ValueError:
        return f"the API answered {answer.status_code}."
    fields = "; ".join(f"{one['field']}: {one['reason']}" for one in problem.get("errors", ()))
    parts = (problem.get("detail") or problem.get("title", ""), fields, problem.get("next_step", ""))
    return " ".join(part for part in parts if part)
