"""The guide to copy trading, carried out line by line on a running installation: its commands, then its requests."""

from __future__ import annotations

import re
import shlex
import subprocess
from decimal import Decimal
from pathlib import Path

from tests.embedded import Up, ares, wait_for

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "copy-trading.md"
_BLOCK = re.compile(r"^```bash no-run\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Fees in the base asset, and less than a lot of each order.
NEARLY = Decimal("0.005")


def walk(running: Up) -> None:
    """Everything that the guide shows, in its order. What it says is held is waited for."""
    *commands, requests = _BLOCK.findall(GUIDE.read_text())
    assert len(commands) == 3, "the guide has other blocks than it had"
    for block in commands:
        for line in block.replace("\\\n", "").splitlines():
            _give(running, line)
    _ask(running, requests)


def _give(running: Up, line: str) -> None:
    words = shlex.split(line, comments=True)
    if not words:
        return
    assert words[0] == "ares", line
    asked = [*words[1:], "--yes"] if words[2] in ("resync", "stop") else words[1:]
    answer = ares(running.home, running.database, *asked)
    assert answer.returncode == 0, f"{line}: {answer.stderr}"
    told = line.partition("# held: ")[2]
    if told:
        wanted = [Decimal(found) for found in re.findall(r"[\d.]+\d", told)]
        wait_for(lambda: _is_held(running, wanted), line)


def _is_held(running: Up, wanted: list[Decimal]) -> bool:
    drift = running.client().get("/api/v1/follower/drift")["items"]
    held = [Decimal(one["held"]) for one in sorted(drift, key=lambda one: one["relationship_id"])]
    return len(held) == len(wanted) and all(
        abs(one - other) <= other * NEARLY for one, other in zip(held, wanted, strict=True)
    )


def _ask(running: Up, requests: str) -> None:
    """The requests are of another account: that of the guide follows its master already. They are curl's."""
    client = running.client()
    account = client.post("/api/accounts", {"name": "third", "exchange": "paper", "settings": {}})["id"]
    said = ares(running.home, running.database, "login").stdout
    link = next(word for word in said.split() if "/login?token=" in word)
    script = requests.replace("http://127.0.0.1:8000", link.partition("/login")[0])
    script = script.replace('"follower_credential_id": 2', f'"follower_credential_id": {account}')
    answer = subprocess.run(
        ["bash", "-e", "-c", script.replace("curl -s ", "curl -s --fail-with-body ")],
        cwd=running.home, env={"LINK": link, "PATH": "/usr/local/bin:/usr/bin:/bin"}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr

    def is_copied() -> bool:
        logs = client.get(f"/api/v1/follower/trade-logs?account_id={account}")["items"]
        return any(one["status"] == "success" for one in logs)

    wait_for(is_copied, "the copy that was asked for over HTTP")
