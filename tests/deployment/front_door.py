"""nginx and oauth2-proxy as the compose file starts them, on loopback ports, in front of any API."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.deployment.identity_provider import IdentityProvider
from tests.services import free_port, program, running

PROXY_SECRET = "what-proves-nginx-to-the-api-0123456789"
COOKIE_SECRET = "0123456789abcdef0123456789abcdef"

#: What the images of nginx have around a server block.
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  include /etc/nginx/mime.types;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{server}
}}
"""


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Where it is."""

    url: str
    #: The sign-in proxy's own address, which nobody outside should reach.
    sign_in: str


def compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    """A compose file as it stands."""
    read: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return read


@cache
def oauth2_proxy_version() -> str:
    """The version that the image is built with."""
    found = re.search(r"oauth2-proxy/v7@(v[\d.]+)", (ROOT / "Dockerfile").read_text())
    assert found, "the Dockerfile does not say which oauth2-proxy it builds"
    return found[1]


def build_oauth2_proxy(folder: Path) -> Path:
    """The real sign-in proxy, of the version that the image has."""
    module = f"github.com/oauth2-proxy/oauth2-proxy/v7@{oauth2_proxy_version()}"
    environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    made = subprocess.run([program("go"), "install", module], env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "oauth2-proxy"


def nginx_configuration(folder: Path, page: Path, ports: dict[str, int]) -> str:
    """The deployed server block, at addresses of this machine."""
    server = (ROOT / "nginx.conf").read_text().replace("${PROXY_SECRET}", PROXY_SECRET)
    for theirs, ours in {
        "listen 8080;": f"listen 127.0.0.1:{ports['nginx']};",
        "server api:8000;": f"server 127.0.0.1:{ports['api']};",
        "server oauth2-proxy:4180;": f"server 127.0.0.1:{ports['sign_in']};",
        "/usr/share/nginx/html": str(page),
    }.items():
        assert theirs in server, theirs
        server = server.replace(theirs, ours)
    return AROUND.format(folder=folder, server=server)


def sign_in_command(binary: Path, ports: dict[str, int], provider: IdentityProvider) -> list[str]:
    """The compose file's own options, with addresses of this machine and the small GitHub in place of the real one."""
    options = [str(one) for one in compose()["services"]["oauth2-proxy"]["command"]]
    replaced = {
        "--http-address": f"127.0.0.1:{ports['sign_in']}",
        "--redirect-url": f"http://127.0.0.1:{ports['nginx']}/oauth2/callback",
        "--trusted-proxy-ip": "127.0.0.1/32",
        "--cookie-secure": "false",
        "--github-org": "",
        "--github-user": "",
    }
    kept = [option for option in options if option.partition("=")[0] not in replaced]
    ours = [f"{name}={value}" for name, value in replaced.items() if value]
    small_github = [
        f"--login-url={provider.url}/login/oauth/authorize",
        f"--redeem-url={provider.url}/login/oauth/access_token",
        f"--validate-url={provider.url}/api/v3/",
    ]
    return [str(binary), *kept, *ours, *small_github]


@contextmanager
def front_door(folder: Path, binary: Path, api_port: int, provider: IdentityProvider) -> Iterator[FrontDoor]:
    """Both programs, until the block is left."""
    ports = {"nginx": free_port(), "sign_in": free_port(), "api": api_port}
    page = folder / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Ares</title>")
    secrets = {
        "OAUTH2_PROXY_CLIENT_ID": "ares", "OAUTH2_PROXY_CLIENT_SECRET": "secret-of-the-app",
        "OAUTH2_PROXY_COOKIE_SECRET": COOKIE_SECRET,
    }  # fmt: skip
    for name in ("nginx", "sign_in"):
        (folder / name).mkdir()
    configuration = folder / "nginx" / "nginx.conf"
    configuration.write_text(nginx_configuration(folder / "nginx", page, ports))
    nginx = [program("nginx"), "-p", str(folder / "nginx"), "-c", str(configuration)]
    command = sign_in_command(binary, ports, provider)
    with (
        running("oauth2-proxy", command, ports["sign_in"], folder / "sign_in", secrets),
        running("nginx", nginx, ports["nginx"], folder / "nginx"),
    ):
        yield FrontDoor(f"http://127.0.0.1:{ports['nginx']}", f"http://127.0.0.1:{ports['sign_in']}")
