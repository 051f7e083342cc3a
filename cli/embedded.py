"""What an embedded installation is made of: the programs, in the order in which they need one another."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import redis.asyncio
import redis.exceptions

from cli import redis_server
from cli.entry import SIMULATOR
from cli.installation import Installation
from cli.processes import Program
from core import redis_names
from core.clock import system_clock, utc_from_ms
from core.config import Config, RedisSection

ROOT: Final = Path(__file__).resolve().parent.parent
#: Venues whose market the simulated exchange stands in for.
SIMULATED: Final = ("binance_spot", "binance_futures")

# Stages: what is needed longest ends last.
STORE: Final = 0
VENUE: Final = 1
NODES: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Addresses that are chosen before anything is started."""

    redis_url: str
    #: The server that has to be started for it; None when one is configured.
    redis_program: Program | None
    api_port: int
    #: What every program of the house finds in its environment.
    environment: Mapping[str, str]

    @property
    def page(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.api_port}"


def plan(config: Config, installation: Installation) -> Plan:
    """Choose ports, make the keys that are not there yet, and say where everything will be."""
    url, program = config.redis.url.get_secret_value(), None
    if url == RedisSection().url.get_secret_value():
        folder = installation.home / "redis"
        path, url = redis_server.configure(folder, free_port())
        command = [redis_server.find_program(), str(path)]
        program = Program("redis", command, is_ready=lambda: redis_server.answers(url), stage=STORE)
    port = free_port(config.api.port)
    environment = {
        "ARES_HOME": str(installation.home.absolute()),
        "ARES_REDIS__URL": url,
        "ARES_API__PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    if config.security.encryption_key is None:
        environment["ENCRYPTION_KEY"] = _kept_secret(installation.home / "encryption.key")
    return Plan(url, program, port, environment)


def simulator(config: Config, installation: Installation) -> Program:
    """The simulated exchange with its generated market."""

    async def is_ready() -> bool:
        return installation.simulator() is not None

    return Program("simulator", simulator_command(config, installation), is_ready=is_ready, stage=VENUE)


def simulator_command(config: Config, installation: Installation) -> list[str]:
    """The command line of the simulated exchange."""
    wanted = config.simulator
    return [
        *SIMULATOR,
        *("--port", str(wanted.port)),
        *("--market", f"generated:{wanted.seed}"),
        *("--speed", str(wanted.speed)),
        # Its market is of now, as a real one: what was missed meanwhile is looked for by the clock.
        *("--start", f"{utc_from_ms(system_clock().machine.now_ms()):%Y-%m-%dT%H:%M:00Z}"),
        *("--symbols", ",".join(wanted.symbols)),
        *("--announce", str(installation.announce_path)),
    ]


def nodes(plan: Plan, installation: Installation) -> list[Program]:
    """The API, a worker node and one for backtests, all looking at the simulated exchange."""
    environment = dict(plan.environment)
    if where := installation.simulator():
        for venue in SIMULATED:
            prefix = f"ARES_VENUES__{venue.upper()}__"
            environment |= {f"{prefix}REST_URL": where.rest, f"{prefix}STREAM_URL": where.stream}
    worker = [
        *(sys.executable, "-m", "celery", "-q", "-A", "celery_app", "worker"),
        *("-P", "threads", "-c", "4", "-Q", "engine", "--loglevel", "WARNING"),
    ]
    return [
        Program("api", [sys.executable, str(ROOT / "main.py")], environment, _api_answers(plan.page), NODES),
        Program("worker", worker, environment, _has_workers(plan.redis_url), NODES),
        # Nobody waits for it: what is asked of it waits in its queue.
        Program("compute", compute_command(), environment, stage=NODES),
    ]


def compute_command() -> list[str]:
    """Backtests and optimisations on every core, behind everything that trades."""
    behind = ["nice", "-n", "10"] if shutil.which("nice") else []
    return [
        *behind,
        *(sys.executable, "-m", "celery", "-q", "-A", "celery_app", "worker"),
        *(
            "-P",
            "prefork",
            "-c",
            str(os.cpu_count() or 1),
            "-Q",
            "compute",
            "-n",
            "compute@%h",
            "--loglevel",
            "WARNING",
        ),
    ]


def free_port(wanted: int = 0) -> int:
    """The wanted port of loopback, or a free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
            return free
    return 0


def _kept_secret(path: Path) -> str:
    """64 hexadecimal digits that are made once and kept where only the owner reads."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32) + "\n")
    return path.read_text().strip()


def _api_answers(page: str) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(f"{page}/health") as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return answers


def _has_workers(url: str) -> Callable[[], Awaitable[bool]]:
    async def has_workers() -> bool:
        client = redis.asyncio.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(await client.zcard(redis_names.WORKERS_ACTIVE))
        except (redis.exceptions.RedisError, OSError):
            return False
        finally:
            await client.aclose()

    return has_workers
