"""`ares init`: the file of secrets that docker compose reads."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from domain.errors import Refused

EXAMPLE: Final = Path(".env.example")
#: Variable -> what makes its value.
MADE: Final = {
    "COOKIE_SECRET": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "ENCRYPTION_KEY": lambda: secrets.token_hex(32),
    "PROXY_SECRET": lambda: secrets.token_urlsafe(48),
    "FLOWER_BASIC_AUTH": lambda: f"admin:{secrets.token_urlsafe(24)}",
    "MYSQL_ROOT_PASSWORD": lambda: secrets.token_urlsafe(24),
    "MYSQL_PASSWORD": lambda: secrets.token_urlsafe(24),
    "REDIS_PASSWORD": lambda: secrets.token_urlsafe(24),
}


class AlreadyThere(Refused):
    """There is a file of secrets already; what is encrypted with it would be lost with it."""


class NoExample(Refused):
    """There is no .env.example here; run this in the folder of Ares."""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(init)


def init(file: Annotated[Path, typer.Option(help="Where to write it.")] = Path(".env")) -> None:
    """Write .env with secrets of its own, readable by you alone; the GitHub part is left for you to fill in."""
    if file.exists():
        raise AlreadyThere(f"{file} is there already; what is encrypted under its key would be lost with it.")
    if not EXAMPLE.is_file():
        raise NoExample
    lines = [_filled(line) for line in EXAMPLE.read_text(encoding="utf-8").splitlines()]
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    typer.echo(
        f"{file} is written. Fill in GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, then `docker compose up -d --build`."
    )
    typer.echo("Keep a copy of ENCRYPTION_KEY elsewhere: without it no exchange key can be read again.")


def _filled(line: str) -> str:
    name = line.partition("=")[0]
    return f"{name}={MADE[name]()}" if name in MADE else line
