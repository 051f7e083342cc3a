from __future__ import annotations

import json

import pytest
import structlog

from core.logs import MASK, configure_logs, redact


@pytest.fixture(autouse=True)
def default_logs_afterwards() -> object:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "name", ["secret", "api_secret", "apiKey", "X-MBX-APIKEY", "password", "signature", "listenKey", "access_token"]
)
def test_a_value_under_a_secret_name_is_masked_however_deep_it_lies(name: str) -> None:
    found = redact({"request": [{"headers": {name: "s3cret"}}]})
    assert found == {"request": [{"headers": {name: MASK}}]}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("GET /order?symbol=BTCUSDT&signature=abc123&x=1", f"GET /order?symbol=BTCUSDT&signature={MASK}&x=1"),
        ("redis://user:s3cret@host:6379/0", f"redis://user:{MASK}@host:6379/0"),
        ("mysql+pymysql://root:p@host/ares", f"mysql+pymysql://root:{MASK}@host/ares"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_inside_text_are_masked_by_their_shape(text: str, safe: str) -> None:
    assert redact(text) == safe


def test_what_is_no_secret_is_left_alone() -> None:
    assert redact({"symbol": "BTCUSDT", "lots": 3, "secret": None}) == {"symbol": "BTCUSDT", "lots": 3, "secret": None}


def test_a_json_line_carries_the_event_and_not_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", "json")
    structlog.get_logger().info("signed", api_secret="s3cret", url="http://x/?signature=abc", symbol="BTCUSDT")
    structlog.get_logger().debug("too quiet to be heard")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["symbol"], said["api_secret"]) == ("signed", "info", "BTCUSDT", MASK)
    assert said["url"].endswith(f"signature={MASK}")
    assert said["timestamp"].endswith("Z")
