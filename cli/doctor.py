"""What stands between this machine and a working Ares; every finding ends with what to do next."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import redis

from cli.installation import Installation
from core.clock import MachineTime, utc_from_ms
from core.config import Config, RedisSection
from core.redis_names import WORKERS_ACTIVE, worker
from core.secrets import EncryptionKey
from db.health import look, shown
from domain.errors import AresError, Refused

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `next_step` says what to do, and is empty when all is well."""

    what: str
    found: str
    next_step: str = ""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.next_step


def examine(config: Config, machine: MachineTime) -> Iterator[Finding]:
    """Every finding, in the order in which they should be mended."""
    yield examine_python(sys.version_info[:3])
    yield examine_packages("ares")
    yield examine_home(config.home)
    yield examine_clock(machine, Path(__file__))
    installation = Installation(config.home)
    yield examine_installation(installation)
    yield examine_port(config.simulator.port, ours=installation.is_running())
    yield examine_database(config.database.url.get_secret_value())
    yield examine_redis(config)
    yield examine_nodes(config)
    yield examine_encryption(config)


def examine_python(version: tuple[int, ...]) -> Finding:
    """Python must be 3.11 or newer."""
    found = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        return Finding("python", found, "install Python 3.11 or newer, delete .venv, and run `make setup`")
    return Finding("python", found)


def examine_packages(distribution: str) -> Finding:
    """Every package that `distribution` requires must be installed."""
    try:
        required = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return Finding("packages", f"{distribution} is not installed", "run `make setup`")
    names = [match.group() for line in required if (match := re.match(r"[A-Za-z0-9._-]+", line))]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        return Finding("packages", f"missing: {', '.join(missing)}", "run `make setup`")
    return Finding("packages", f"all {len(names)} are installed")


def examine_home(home: Path) -> Finding:
    """The home folder must be writable, with room for logs and an embedded database."""
    nearest = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return Finding("home", f"{nearest} is not writable", "set ARES_HOME to a folder you may write to")
    free = shutil.disk_usage(nearest).free
    found = f"{home}, {free // (1024 * 1024)} MiB free"
    return Finding("home", found, "" if free >= FREE_BYTES else "free at least 200 MiB on this disk")


def examine_clock(machine: MachineTime, code: Path) -> Finding:
    """The wall clock must not be behind the code's own age, and the steady clock must run forward."""
    now_ms, before = machine.now_ms(), machine.steady_ns()
    found = utc_from_ms(now_ms).strftime("%Y-%m-%d %H:%M:%S UTC")
    if now_ms < code.stat().st_mtime_ns // 1_000_000:
        return Finding("clock", f"{found}, earlier than this program was written", "switch on time synchronisation")
    if machine.steady_ns() < before:
        return Finding("clock", "the steady clock ran backwards", "use a machine whose monotonic clock works")
    return Finding("clock", found)


def examine_installation(installation: Installation) -> Finding:
    """What `ares up` left or holds under the home folder."""
    record = installation.record()
    if installation.is_running():
        return Finding("ares", f"running, {record.page}" if record and record.page else "starting")
    if record is not None:
        return Finding("ares", f"{installation.record_path} is left from a run that was cut off", "run `ares down`")
    return Finding("ares", "not running; `ares up` starts it")


def examine_port(port: int, *, ours: bool) -> Finding:
    """The configured port must be free, unless it is our own exchange that listens there."""
    if port == 0:
        return Finding("port", "a free one is taken at start")
    if ours:
        return Finding("port", f"{port}, in use by our own exchange")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            found = f"{port} cannot be used: {error.strerror}"
            return Finding("port", found, "set ARES_SIMULATOR__PORT to another port, or to 0 for a free one")
    return Finding("port", f"{port} is free")


def examine_database(url: str) -> Finding:
    """The database must answer, and have this program's schema; an embedded one is made by the first `ares up`."""
    try:
        health = look(url)
    except AresError as error:
        return Finding("database", str(error), "start it, or correct ARES_DATABASE__URL or MYSQL_...")
    if not health.exists:
        return Finding("database", f"{health.address}, not there yet; `ares up` makes it")
    if health.found != health.wanted:
        found = f"schema {health.found or 'none'}, this program needs {health.wanted}"
        return Finding("database", found, "run `ares migrate`")
    return Finding("database", f"{health.address}, schema {health.found}")


def examine_redis(config: Config) -> Finding:
    """A configured Redis must answer and must never evict; without one `ares up` starts its own."""
    url = config.redis.url.get_secret_value()
    if url == RedisSection().url.get_secret_value():
        return Finding("redis", "none is configured; `ares up` starts its own")
    told = shown(url)
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        policy = str(client.info("memory").get("maxmemory_policy", ""))
    except redis.RedisError as error:
        return Finding("redis", f"{told}: {error}", "start it, or correct ARES_REDIS__URL or REDIS_...")
    finally:
        client.close()
    if policy != "noeviction":
        return Finding("redis", f"{told} evicts keys ({policy})", "set maxmemory-policy to noeviction")
    return Finding("redis", told)


def examine_nodes(config: Config) -> Finding:
    """Every worker that is alive must be of an edition that takes strategies up."""
    url = config.redis.url.get_secret_value()
    if url == RedisSection().url.get_secret_value():
        return Finding("nodes", "they are of this machine; `ares status` shows them")
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
    try:
        names = [str(name) for name in client.zrange(WORKERS_ACTIVE, 0, -1)]
        gates = {name: str(client.hget(worker(name), "gate") or "") for name in names}
    except redis.RedisError:
        return Finding("nodes", "not known while Redis does not answer", "mend Redis first")
    finally:
        client.close()
    held_back = [f"{name} takes no strategies up: {gate}" for name, gate in gates.items() if gate]
    if held_back:
        return Finding("nodes", "; ".join(held_back), "end these workers and start them from the newest build")
    return Finding("nodes", f"{len(names)} alive, of one edition" if names else "none is alive")


def examine_encryption(config: Config) -> Finding:
    """The encryption key, where one is configured, must be drawn at random."""
    if config.security.encryption_key is None:
        return Finding("encryption key", "none is configured; `ares up` makes one, `ares init` another for servers")
    try:
        key = EncryptionKey(config.security.encryption_key)
    except Refused as error:
        return Finding("encryption key", str(error), "make one by `openssl rand -hex 32`")
    return Finding("encryption key", f"its id is {key.id}")


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
