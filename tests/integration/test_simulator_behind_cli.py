"""`ares up` with the real simulated exchange."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp

from cli.instance import Instance
from tests.conftest import ROOT

ARES = [sys.executable, "-c", "import sys; from cli.app import main; sys.argv[0] = 'ares'; main()"]


async def test_up_starts_an_exchange_that_answers_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *ARES, "up", cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    said: list[str] = []
    async with asyncio.timeout(45):
        while (address := Instance(tmp_path / ".ares").address()) is None:
            line = await process.stdout.readline()
            assert line, "".join(said)
            said.append(line.decode())
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{address.rest}/api/v3/time") as reply:
            assert reply.status == 200
            assert (await reply.json())["serverTime"] > 1_500_000_000_000
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert rest.decode().endswith("Stopped.\n")
    assert process.returncode == 0
