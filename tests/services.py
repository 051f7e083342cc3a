"""Real server programs for tests: each in its own folder, on its own loopback port, ended by its own id."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.authority import vouched_for

START_SECONDS = 300.0
#: Below those that Linux gives by itself.
OWN_PORTS = range(20_000, 32_000)
_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class Service:
    """A running server program."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]


def program(*names: str) -> str:
    """Path of the first of `names` that is installed; otherwise skip, or fail where everything must be present."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin"
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    reason = f"{names[0]} is not installed on this machine (looked for {', '.join(names)})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A loopback port nobody listens on, and that nobody gets by chance before whoever asked has bound it.

    The system gives connections, and whoever asks for any port, a higher one; of ours each is given once.
    """
    while True:
        port = secrets.choice(OWN_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Poll until it is true; fail with `what` when the deadline passes."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether something on loopback accepts connections at `port`."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(
    name: str, command: list[str], port: int, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Start `command`, wait until it listens, and end it, by its id, when the block is left."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    service = Service(name, process, port, folder)
    try:
        wait_until(lambda: process.poll() is not None or listens(port), f"start of {name}")
        assert process.poll() is None, f"{name} ended by itself: {service.log}"
        yield service
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], seconds: float = 15.0) -> None:
    """Ask the process to end, and insist when it does not."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Service]:
    """Redis, keeping nothing on disk."""
    port = free_port()
    command = [program("redis-server", "valkey-server"), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running("redis-server", command, port, folder) as service:
        yield service


@contextlib.contextmanager
def mariadb_server(folder: Path) -> Iterator[Service]:
    """MariaDB with an empty password for root, on loopback only; `authority.pem` in its folder vouches for it."""
    server, install = program("mariadbd", "mysqld"), program("mariadb-install-db", "mysql_install_db")
    data, port = folder / "data", free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    setup = [
        install,
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ]
    made = subprocess.run([*setup, *user], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    command = [server, "--no-defaults", *user, f"--datadir={data}", f"--socket={folder / 's'}", f"--port={port}"]
    command += ["--bind-address=127.0.0.1", f"--pid-file={folder / 'pid'}", "--innodb-buffer-pool-size=32M"]
    certificate, key = vouched_for("127.0.0.1", folder)
    command += [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    with running("mariadbd", command, port, folder) as service:
        yield service


def create_schema(service: Service, name: str) -> str:
    """A fresh, empty schema, and its SQLAlchemy address.

    Without TLS: making ready for it reads all authorities of this machine, which takes longer than connecting.
    """
    server = pymysql.connect(host="127.0.0.1", port=service.port, user="root", ssl_disabled=True)
    with server as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    return f"mysql+pymysql://root@127.0.0.1:{service.port}/{name}?ssl_disabled=true"


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""


@contextlib.contextmanager
def nginx_server(folder: Path, upstream: int) -> Iterator[Service]:
    """nginx passing HTTP and WebSocket on to the loopback port `upstream`."""
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running("nginx", command, port, folder) as service:
        yield service
