from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from api.services import UnsafeAddress, make_services
from core.clock import system_clock
from core.secrets import BadEncryptionKey
from db.models import User
from db.queries import accounts, sessions
from db.unit_of_work import committed
from domain.errors import Refused
from tests.api_node import CHANGE, PROXY_SECRET, ApiNode, api_node, make_config

pytestmark = pytest.mark.services


def link(node: ApiNode, login: str = "olga", lifetime: timedelta = timedelta(minutes=5)) -> str:
    with committed(node.engine) as unit:
        return sessions.make_link(unit, node.people[login], datetime.now(UTC), lifetime)


def test_a_login_link_signs_in_once_and_leads_to_the_dashboard(node: ApiNode) -> None:
    token = link(node)
    answer = node.client.get(f"/login?token={token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in cookie
    session = node.client.get("/api/session").json()
    assert (session["user"]["login"], session["mode"], session["kill"]["on"]) == ("olga", "local", False)
    again = node.client.get(f"/login?token={token}")
    assert (again.status_code, again.json()["code"]) == (401, "link_spent")


def test_an_old_link_is_refused(node: ApiNode) -> None:
    assert node.client.get(f"/login?token={link(node, lifetime=timedelta(seconds=-1))}").status_code == 401


def test_signing_out_ends_the_session_at_once(node: ApiNode) -> None:
    assert node.get("/api/session").status_code == 200
    assert node.call("DELETE", "/api/session").status_code == 204
    assert node.get("/api/session").json()["code"] == "not_signed_in"


def test_guessing_links_is_slowed_down(tmp_path: Path, redis_url: str) -> None:
    database = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    with api_node(database, redis_url, tmp_path, api={"logins_per_minute": 3}) as node:
        statuses = [node.client.get("/login?token=guess").status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        answer = node.client.get("/login?token=guess")
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("too_many", "1")


def test_changing_too_much_in_a_minute_is_slowed_down(tmp_path: Path, redis_url: str) -> None:
    database = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    with api_node(database, redis_url, tmp_path, api={"changes_per_minute": 2}) as node:
        statuses = [node.post("/api/kill-switch", {"on": False, "scope": "mine"}).status_code for _ in range(2)]
        statuses += [node.post("/api/accounts", {"name": str(n), "exchange": "paper"}).status_code for n in range(3)]
        assert statuses == [200, 200, 201, 201, 429]
        assert node.get("/api/session").status_code == 200


@pytest.fixture
def proxied(tmp_path: Path, redis_url: str) -> Iterator[ApiNode]:
    database = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    api = {"auth": "proxy", "proxy_secret": PROXY_SECRET, "admins": ["Boss"], "public_url": "https://ares.example"}
    with api_node(database, redis_url, tmp_path, api=api) as node:
        yield node


def ask(node: ApiNode, headers: list[tuple[str, str]] | dict[str, str], path: str = "/api/session") -> Any:
    given = list(headers.items()) if isinstance(headers, dict) else headers
    return node.client.get(path, headers=[("Host", "ares.example"), *given])


PROOF = ("X-Ares-Proxy-Secret", PROXY_SECRET)


def test_the_proven_proxy_says_who_it_is_and_a_first_sign_in_makes_a_user(proxied: ApiNode) -> None:
    user = ask(proxied, [PROOF, ("X-Forwarded-User", "Newbie"), ("X-Forwarded-Email", "n@example.org")]).json()["user"]
    assert (user["login"], user["role"]) == ("newbie", "trader")
    boss = ask(proxied, [PROOF, ("X-Forwarded-User", "boss")]).json()["user"]
    assert boss["role"] == "admin"
    assert (
        ask(proxied, [PROOF, ("X-Forwarded-User", "NEWBIE"), ("X-Forwarded-Email", "n@example.org")]).json()["user"]
        == user
    )


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-User", "boss")],
        [("x-forwarded-user", "boss"), ("X-Forwarded-Email", "b@example.org")],
        [("X-Forwarded-User", "boss"), ("X-Ares-Proxy-Secret", "")],
        [("X-Forwarded-User", "boss"), ("X-Ares-Proxy-Secret", PROXY_SECRET[:-1])],
        [("X-Forwarded-User", "boss"), ("X-Ares-Proxy-Secret", PROXY_SECRET.lower())],
        [("X-Forwarded-User", "boss"), PROOF, PROOF],
        [("X-Forwarded-User", "boss"), ("X_Ares_Proxy_Secret", PROXY_SECRET)],
        [("X-Forwarded-User", "boss"), ("Authorization", f"Bearer {PROXY_SECRET}")],
        [("X-Auth-Request-User", "boss"), PROOF],
        [("X_Forwarded_User", "boss")],
        [("X-Forwarded-Preferred-Username", "boss"), PROOF],
        [("Remote-User", "boss"), ("X-Real-IP", "127.0.0.1"), PROOF],
        [PROOF],
        [("X-Forwarded-User", "b\xf6ss"), PROOF],
        [("Cookie", "ares_session=anything")],
    ],
)
def test_who_only_says_who_they_are_is_nobody(proxied: ApiNode, headers: list[tuple[str, str]]) -> None:
    answer = proxied.client.get(
        "/api/session", headers=[(b"Host", b"ares.example"), *((n.encode(), v.encode("latin-1")) for n, v in headers)]
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("second", ["X-Forwarded-User", "x-forwarded-user", "X_Forwarded_User", "X-forwarded_USER"])
def test_a_second_name_in_any_spelling_is_refused_even_from_the_proxy(proxied: ApiNode, second: str) -> None:
    answer = ask(proxied, [PROOF, ("X-Forwarded-User", "newbie"), (second, "boss")])
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_fields")


def test_a_session_cookie_is_worth_nothing_behind_a_proxy(proxied: ApiNode) -> None:
    assert ask(proxied, {"Cookie": f"ares_session={proxied.tokens['adam']}"}).status_code == 401
    assert ask(proxied, [], "/login?token=x").status_code == 403


def test_a_login_that_comes_with_another_address_is_another_person(proxied: ApiNode) -> None:
    assert ask(proxied, [PROOF, ("X-Forwarded-User", "ren"), ("X-Forwarded-Email", "a@example.org")]).status_code == 200
    other = ask(proxied, [PROOF, ("X-Forwarded-User", "ren"), ("X-Forwarded-Email", "b@example.org")])
    assert other.json()["code"] == "identity_changed"


def test_a_disabled_user_is_refused(proxied: ApiNode) -> None:
    with committed(proxied.engine) as unit:
        user = User(login="gone", role="trader", disabled=True, created_at=datetime.now(UTC))
        accounts.add_user(unit, user)
    assert ask(proxied, [PROOF, ("X-Forwarded-User", "gone")]).status_code == 403


def test_metrics_are_for_the_inside_and_for_administrators(proxied: ApiNode) -> None:
    inside = proxied.client.get("/metrics", headers={"Host": "127.0.0.1"})
    assert "ares_api_requests_total" in inside.text
    assert ask(proxied, [PROOF], "/metrics").status_code == 401
    assert ask(proxied, [PROOF, ("X-Forwarded-User", "newbie")], "/metrics").status_code == 403
    assert ask(proxied, [PROOF, ("X-Forwarded-User", "boss")], "/metrics").status_code == 200


def test_another_host_is_refused_behind_a_proxy_too(proxied: ApiNode) -> None:
    headers = [("Host", "evil.example"), PROOF, ("X-Forwarded-User", "boss")]
    assert proxied.client.get("/api/session", headers=headers).status_code == 421
    change = [("Host", "ares.example"), *CHANGE.items(), PROOF, ("X-Forwarded-User", "boss")]
    on = proxied.client.post("/api/kill-switch", headers=change, json={"on": True})
    assert (on.status_code, on.json()["scope"]) == (200, "all")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_without_a_proxy_it_listens_on_loopback_only(tmp_path: Path, host: str) -> None:
    config = make_config(f"sqlite:///{tmp_path / 'x.sqlite3'}", "redis://127.0.0.1:1/0", tmp_path, api={"host": host})
    with pytest.raises(UnsafeAddress, match=r"api\.auth"):
        make_services(config, system_clock())


@pytest.mark.parametrize("secret", [None, "", "change-me", "x" * 40, "proxy_secret"])
def test_a_proxy_secret_from_an_example_is_refused(tmp_path: Path, secret: str | None) -> None:
    api = {"auth": "proxy", "host": "0.0.0.0", "proxy_secret": secret}
    config = make_config(f"sqlite:///{tmp_path / 'x.sqlite3'}", "redis://127.0.0.1:1/0", tmp_path, api=api)
    with pytest.raises(Refused, match="proxy_secret") as refused:
        make_services(config, system_clock())
    assert not secret or secret == "proxy_secret" or secret not in str(refused.value)


def test_an_encryption_key_from_an_example_is_refused(tmp_path: Path) -> None:
    config = make_config(f"sqlite:///{tmp_path / 'x.sqlite3'}", "redis://127.0.0.1:1/0", tmp_path)
    example = config.security.model_copy(update={"encryption_key": SecretStr("0" * 64)})
    with pytest.raises(BadEncryptionKey):
        make_services(config.model_copy(update={"security": example}), system_clock())
