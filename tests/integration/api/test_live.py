from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from api.app import create_app
from core import redis_names
from db import migrate
from db.database import open_database
from domain.sentences import say, words_of
from tests.api_node import ENCRYPTION_KEY, ApiNode, make_config, served
from tests.conftest import ROOT
from tests.services import free_port, running

pytestmark = pytest.mark.services


def tell(url: str, number: int, owner: int, **more: str) -> dict[str, str]:
    """What a worker writes of a strategy."""
    now = datetime.now(UTC).isoformat()
    fields = {
        "task_id": f"{number}-3", "worker_id": "worker-1", "worker_ip": "10.0.0.7", "worker_hostname": "host",
        "status": "running", "started_at": now, "current_price": "64000.5", "pending_buys": "10", "pending_sells": "2",
        "position_count": "1", "last_error": "", "held_back": "", "updated_at": now, "lease_age_ms": "1200",
        "epoch": "3", "realised": "1", "unrealised": "-0.5", "fees": "0.1", "equity": "1000.4", "position": "0.01",
        "owner_id": str(owner), "new_field": "of a newer worker",
    } | more  # fmt: skip
    with redis.Redis.from_url(url) as client:
        client.hset(redis_names.strategy_running(number), mapping=fields)
    return fields


def test_a_running_strategy_shows_its_node_and_its_money(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    path = f"/api/strategies/{number}"
    assert node.get(f"{path}/status").json() == {"id": number, "running": False, "live": None}
    node.post(f"{path}/start")
    tell(redis_url, number, node.people["olga"])
    status = node.get(f"{path}/status").json()
    assert (status["running"], status["live"]["worker_ip"], status["live"]["pending_buys"]) == (True, "10.0.0.7", 10)
    assert status["live"]["started_at"].endswith("Z")
    assert node.get(path).json()["live"] == status["live"]
    assert node.get("/api/strategies/running").json()["items"][0]["live"] == status["live"]
    everything = node.get("/api/strategies/statuses").json()
    assert (everything["wanted"], [one["id"] for one in everything["items"]]) == (1, [number])
    assert everything["items"][0]["equity"] == "1000.4"


def test_the_last_error_is_told_with_its_code(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    node.post(f"/api/strategies/{number}/start")
    words = words_of(say("no_account", "there is no account {account}.", account=7))
    tell(redis_url, number, node.people["olga"], last_error="it cannot be", last_error_words=json.dumps(words))
    assert node.get(f"/api/strategies/{number}/status").json()["live"]["last_error_words"] == words
    assert node.get("/api/strategies/statuses").json()["items"][0]["last_error_words"] == words
    for nonsense in ("{", "[]", '{"code": 1}', ""):
        tell(redis_url, number, node.people["olga"], last_error="it cannot be", last_error_words=nonsense)
        live = node.get(f"/api/strategies/{number}/status").json()["live"]
        assert (live["last_error"], live["last_error_words"]) == ("it cannot be", None)


def test_a_status_of_somebody_else_or_one_that_makes_no_sense_is_not_shown(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    node.post(f"/api/strategies/{number}/start")
    tell(redis_url, number, node.people["theo"])
    assert node.get(f"/api/strategies/{number}").json()["live"] is None
    assert node.get(f"/api/strategies/{number}/status").json()["live"] is None
    assert node.get("/api/strategies/statuses").json()["items"] == []
    assert node.get(f"/api/strategies/{number}/status", "theo").status_code == 404
    tell(redis_url, number, node.people["olga"], status="dancing")
    assert node.get(f"/api/strategies/{number}").json()["live"] is None


def test_a_strategy_that_has_seen_no_price_yet_is_shown_too(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    node.post(f"/api/strategies/{number}/start")
    empty = dict.fromkeys(("current_price", "realised", "unrealised", "fees", "equity", "position", "started_at"), "")
    tell(redis_url, number, node.people["olga"], status="claiming", **empty)
    live = node.get(f"/api/strategies/{number}/status").json()["live"]
    assert (live["status"], live["current_price"], live["equity"]) == ("claiming", None, "0")
    assert live["started_at"] is None
    assert node.get("/api/strategies/statuses").json()["items"][0]["equity"] == "0"


def test_what_runs_is_added_up_exactly_and_only_from_what_is_told(node: ApiNode, redis_url: str) -> None:
    account = node.add_account()
    numbers = [node.add_strategy(account, name=f"bot {place}") for place in range(4)]
    for number in numbers:
        node.post(f"/api/strategies/{number}/start")
    olga = node.people["olga"]
    large = {"equity": "900719925474099.30000001", "realised": "0.1", "unrealised": "-0.3", "fees": "0.00000001"}
    tell(redis_url, numbers[0], olga, **large)
    tell(redis_url, numbers[1], olga, equity="0.00000002", realised="0.2", unrealised="0.1", fees="0")
    tell(redis_url, numbers[2], olga, equity="1", realised="")
    tell(redis_url, numbers[3], node.people["theo"])
    [total] = node.get("/api/strategies/totals").json()["items"]
    assert total == {
        "currency": "", "paper": True, "wanted": 4, "told": 2, "equity": "900719925474099.30000003",
        "realised": "0.3", "unrealised": "-0.2", "fees": "0.00000001",
    }  # fmt: skip
    assert node.get("/api/strategies/totals", "theo").json()["items"] == []


def test_nodes_tell_how_old_their_heartbeat_is(node: ApiNode, redis_url: str) -> None:
    assert node.get("/api/nodes").json() == []
    with redis.Redis.from_url(redis_url) as client:
        seconds, micros = client.time()
        now_ms = seconds * 1000 + micros // 1000
        client.zadd(redis_names.WORKERS_ACTIVE, {"fresh": now_ms - 100, "old": now_ms - 60_000})
        said: dict[Any, Any] = {
            "hostname": "h",
            "ip": "10.0.0.7",
            "running": "12",
            "capacity": "100",
            "tags": "eu,fast",
        }
        client.hset(redis_names.worker("fresh"), mapping=said | {"loop_lag_ms": "1.5"})
    found = {one["worker_id"]: one for one in node.get("/api/nodes").json()}
    assert (found["fresh"]["status"], found["old"]["status"]) == ("alive", "silent")
    assert (found["fresh"]["running"], found["fresh"]["tags"], found["fresh"]["loop_lag_ms"]) == (
        12,
        ["eu", "fast"],
        1.5,
    )
    assert found["old"]["heartbeat_age_ms"] >= 60_000


def test_bars_and_symbols_come_from_what_workers_publish(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    assert node.get(f"/api/strategies/{number}/bars").json() == {"items": []}
    assert node.get("/api/symbols").json() == []
    with redis.Redis.from_url(redis_url) as client:
        rows = '[[1777636800000,"1","2","0.5","1.5","10"],[1777636860000,"1.5","2","1","1.75","3.25"]]'
        client.set(redis_names.bars("binance_spot", "BTCUSDT", "1m"), rows)
        client.hset(redis_names.symbols("binance_spot"), mapping={"ETHUSDT": "{}", "BTCUSDT": "{}"})
    newest = node.get(f"/api/strategies/{number}/bars?limit=1").json()["items"]
    assert newest == [
        {"open_time": "2026-05-01T12:01:00Z", "open": "1.5", "high": "2", "low": "1", "close": "1.75", "volume": "3.25"}
    ]
    assert node.get("/api/symbols").json() == ["BTCUSDT", "ETHUSDT"]
    assert node.get("/api/symbols?exchange=nowhere").status_code == 422
    exchanges = {one["name"]: one for one in node.get("/api/exchanges").json()}
    assert (exchanges["okx_spot"]["needs_passphrase"], exchanges["binance_futures"]["market"]) == (True, "futures")
    assert exchanges["paper"]["paper"] is True


def test_the_built_page_is_served_and_addresses_of_the_api_never_lead_to_it(tmp_path: Path, redis_url: str) -> None:
    page = tmp_path / "dist"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<title>Ares</title>")
    (page / "assets" / "app.js").write_text("export {}")
    config = make_config(f"sqlite:///{tmp_path / 'x.sqlite3'}", redis_url, tmp_path)
    with served(create_app(config, page=page), config) as address, httpx.Client(base_url=address) as client:
        as_a_browser = {"Accept": "text/html"}
        for path in ("/", "/strategies/12", "/nodes"):
            answer = client.get(path, headers=as_a_browser)
            assert (answer.status_code, answer.text) == (200, "<title>Ares</title>"), path
            assert answer.headers["cache-control"] == "no-store"
        script = client.get("/assets/app.js")
        assert (script.status_code, "javascript" in script.headers["content-type"]) == (200, True)
        for path in ("/api/nowhere", "/api/", "/api/strategies/12/nowhere"):
            assert client.get(path, headers=as_a_browser).headers["content-type"] == "application/problem+json", path
        assert client.get("/../config.yaml").status_code == 404 or "Ares" in client.get("/../config.yaml").text
        assert "root:" not in client.get("/..%2f..%2f..%2fetc/passwd").text


def started(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": "/usr/bin:/bin", "ARES_HOME": str(folder), "ARES_CONFIG": str(ROOT / "config.yaml")} | environment
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py")], env=given, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ARES_API__HOST": "0.0.0.0"}, "api.auth"),
        ({"ARES_API__AUTH": "proxy"}, "api.proxy_secret"),
        ({"ARES_API__AUTH": "proxy", "ARES_API__PROXY_SECRET": "change-me"}, "api.proxy_secret"),
        ({"ENCRYPTION_KEY": "0" * 64}, "ENCRYPTION_KEY"),
        ({"ENCRYPTION_KEY": "your_encryption_key_64_hex_chars"}, "ENCRYPTION_KEY"),
        ({"API_PORT": "http"}, "api.port"),
    ],
)
def test_it_does_not_start_open_to_the_world_or_with_an_examples_secret(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    url = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    engine = open_database(url)
    migrate.upgrade(engine)
    engine.dispose()
    ended = started(tmp_path, ARES_DATABASE__URL=url, **environment)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_it_does_not_start_on_an_old_schema_and_says_so(tmp_path: Path) -> None:
    ended = started(tmp_path, ARES_DATABASE__URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert ended.returncode == 2
    assert "revision" in ended.stderr


def test_the_program_serves_and_ends_when_told(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    engine = open_database(url)
    migrate.upgrade(engine)
    engine.dispose()
    port = free_port()
    for name, value in {
        "ARES_DATABASE__URL": url, "ARES_REDIS__URL": redis_url, "API_PORT": str(port), "ARES_HOME": str(tmp_path),
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    folder = tmp_path / "run"
    folder.mkdir()
    with running("api", [sys.executable, str(ROOT / "main.py")], port, folder) as api:
        assert httpx.get(f"http://127.0.0.1:{port}/health").json()["status"] == "ok"
        api.process.terminate()
        assert api.process.wait(10) in {0, -15}
        assert ENCRYPTION_KEY not in api.log
