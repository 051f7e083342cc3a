"""`ares up` with the real simulated exchange."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from cli.instance import Address, Instance
from tests.conftest import ROOT
from tests.services import nginx_server

pytestmark = pytest.mark.services
ARES = [sys.executable, "-c", "import sys; from cli.entry import main; sys.argv[0] = 'ares'; main()"]


@contextlib.asynccontextmanager
async def up(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ares up` in a folder of its own; killed when the test leaves it running."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *ARES, "up", cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def address_of(process: asyncio.subprocess.Process, folder: Path) -> Address:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(45):
        while (address := Instance(folder / ".ares").address()) is None:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return address


async def test_up_starts_an_exchange_that_answers_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        address = await address_of(process, tmp_path)
        async with aiohttp.ClientSession() as session, session.get(f"{address.rest}/api/v3/time") as reply:
            assert reply.status == 200
            assert (await reply.json())["serverTime"] > 1_500_000_000_000
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
        assert rest.decode().endswith("Stopped.\n")
        assert process.returncode == 0


async def test_nginx_passes_requests_and_streams_of_the_exchange(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    async with up(tmp_path) as process:
        upstream = int((await address_of(process, tmp_path)).rest.rpartition(":")[2])
        with nginx_server(folder, upstream) as service:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{service.port}") as session:
                async with session.get("/api/v3/ticker/price?symbol=BTCUSDT") as reply:
                    assert (await reply.json())["symbol"] == "BTCUSDT"
                async with session.ws_connect("/ws/btcusdt@bookTicker") as stream:
                    assert (await stream.receive_json(timeout=30))["s"] == "BTCUSDT"
