from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import program
from domain.errors import AresError
from tests.api_node import CHANGE, PEOPLE, PROXY_SECRET, ApiNode, LeapingTime, api_node

ARES = program()

pytestmark = pytest.mark.services

#: Longer than what the database said of a person is believed.
A_MINUTE_NS = 60_000_000_000


class People:
    """A node whose clock leaps, so that it asks the database anew for everybody."""

    def __init__(self, node: ApiNode, time: LeapingTime) -> None:
        self.node, self._time = node, time

    def change(self, login: str, /, who: str = "adam", **change: Any) -> Any:
        answer = self.node.call("PATCH", f"/api/users/{self.node.people[login]}", who, json=change)
        self._time.ahead_ns += A_MINUTE_NS
        return answer

    def listed(self) -> dict[str, dict[str, Any]]:
        return {one["login"]: one for one in self.node.get("/api/users", "adam").json()["items"]}


@pytest.fixture
def people(tmp_path: Path, redis_url: str) -> Iterator[People]:
    time = LeapingTime()
    with api_node(f"sqlite:///{tmp_path / 'ares.sqlite3'}", redis_url, tmp_path, time) as node:
        yield People(node, time)


def test_everybody_is_listed_with_what_they_may_do(people: People) -> None:
    assert {login: one["role"] for login, one in people.listed().items()}.items() >= PEOPLE.items()
    first = people.node.get("/api/users?limit=1", "adam").json()
    rest = people.node.get(f"/api/users?cursor={first['next_cursor']}", "adam").json()
    assert [one["login"] for one in first["items"] + rest["items"]] == list(people.listed())


def test_a_new_role_holds_and_is_recorded(people: People) -> None:
    assert people.node.post("/api/accounts", {"name": "a", "exchange": "paper"}, "vera").status_code == 403
    assert people.change("vera", role="trader").json()["role"] == "trader"
    assert people.node.post("/api/accounts", {"name": "a", "exchange": "paper"}, "vera").status_code == 201
    done = people.node.get("/api/audit", "adam").json()["items"]
    assert ("adam", "change_person") in {(one["actor"], one["action"]) for one in done}


def test_who_is_disabled_is_shut_out_and_let_in_again(people: People) -> None:
    assert people.change("olga", disabled=True).json()["disabled"]
    assert people.node.get("/api/session", "olga").status_code == 401
    people.change("olga", disabled=False)
    assert people.node.get("/api/session", "olga").status_code == 200


def test_the_last_administrator_stays_one(people: People) -> None:
    before = people.listed()
    for change in ({"role": "viewer"}, {"disabled": True}):
        answer = people.change("adam", **change)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert people.listed() == before
    people.change("theo", role="admin")
    assert people.change("adam", role="viewer").status_code == 200


@pytest.mark.parametrize("change", [{"role": "king"}, {"disabled": "perhaps"}, {"login": "other"}])
def test_what_no_person_can_be_is_refused_by_field(people: People, change: dict[str, Any]) -> None:
    answer = people.change("vera", **change)
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json()["errors"][0]["field"]
    assert people.listed()["vera"]["role"] == "viewer"


def test_an_address_that_changed_is_confirmed_by_an_administrator(tmp_path: Path, redis_url: str) -> None:
    api = {"auth": "proxy", "proxy_secret": PROXY_SECRET, "admins": ["boss"], "public_url": "https://ares.example"}
    time = LeapingTime()
    with api_node(f"sqlite:///{tmp_path / 'ares.sqlite3'}", redis_url, tmp_path, time, api=api) as node:

        def ask(login: str, email: str, method: str = "GET", path: str = "/api/session", **options: Any) -> Any:
            named = {"Host": "ares.example", "X-Ares-Proxy-Secret": PROXY_SECRET, "X-Forwarded-User": login}
            headers = named | CHANGE | {"X-Forwarded-Email": email, "Origin": "https://ares.example"}
            return node.client.request(method, path, headers=headers, **options)

        number = ask("ren", "old@example.org").json()["user"]["id"]
        assert ask("ren", "new@example.org").json()["code"] == "identity_changed"
        done = ask("boss", "b@example.org", "PATCH", f"/api/users/{number}", json={"forget_email": True})
        assert (done.status_code, done.json()["email"]) == (200, None)
        assert ask("ren", "new@example.org").json()["user"]["id"] == number
        time.ahead_ns += A_MINUTE_NS
        assert ask("ren", "old@example.org").json()["code"] == "identity_changed"


def test_the_terminal_of_the_installation_changes_people_too(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    address = people.node.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ARES_DATABASE__URL", address)

    def ares(*words: str) -> str:
        done = CliRunner().invoke(ARES, ["user", *words], catch_exceptions=True)
        return done.output if done.exception is None else f"{done.exception}"

    assert "theo: admin." in ares("role", "Theo", "admin")
    assert "vera: viewer, disabled." in ares("disable", "vera")
    assert "vera: viewer." in ares("enable", "vera")
    assert "nobody called zoe has ever signed in" in ares("confirm", "zoe")
    assert issubclass(type(CliRunner().invoke(ARES, ["user", "confirm", "zoe"]).exception), AresError)
    assert ares("list").count("admin") == 2
    assert people.listed()["theo"]["role"] == "admin"
