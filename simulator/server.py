"""A venue behind its ports: the trading port for REST, streams and the WebSocket API, and the operator's port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from simulator.admin.server import AdminServer
from simulator.config import SimulatorConfig
from simulator.runner import Runner
from simulator.streams.server import websocket_handler
from simulator.venue import Venue
from simulator.wire.server import WireServer


class MarketStopped(RuntimeError):
    """A defect has ended the movement of the market; the venue cannot go on. The cause says what it was."""


@dataclass(slots=True)
class RunningSimulator:
    """Where a started venue listens, and the venue itself for tests in the same process."""

    venue: Venue
    host: str
    port: int
    admin_port: int
    ended: asyncio.Event
    """Set when the operator asks for the end, or when the market has stopped moving by a defect."""

    @property
    def rest_url(self) -> str:
        """Root of REST, for spot and USD-M alike."""
        return f"http://{_bracketed(self.host)}:{self.port}"

    @property
    def stream_url(self) -> str:
        """Root of every WebSocket."""
        return f"ws://{_bracketed(self.host)}:{self.port}"

    @property
    def admin_url(self) -> str:
        """Root of the admin API."""
        return f"http://{_bracketed(self.host)}:{self.admin_port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@asynccontextmanager
async def running(config: SimulatorConfig) -> AsyncIterator[RunningSimulator]:
    """Start a venue on its ports and stop it on leaving.

    Raises OSError when a port is taken, and `MarketStopped` on leaving when a defect had ended the market before.
    """
    venue = Venue(config)
    wire = WireServer(venue, websocket_handler=websocket_handler(venue))
    admin = AdminServer(venue, wire)
    port = await wire.start(config.host, config.port)
    try:
        admin_port = await admin.start(config.host, config.admin_port)
        runner = asyncio.create_task(Runner(venue).run(), name="market")
        runner.add_done_callback(lambda _: admin.shutdown.set())
        try:
            yield RunningSimulator(venue, config.host, port, admin_port, admin.shutdown)
        finally:
            runner.cancel()
            await admin.stop()
            await _ended(runner)
    finally:
        await wire.stop()
        venue.tape.close()


async def _ended(runner: asyncio.Task[None]) -> None:
    """Wait for the end of the market's movement, and tell when it was not us who ended it."""
    try:
        with suppress(asyncio.CancelledError):
            await runner
    except Exception as defect:
        raise MarketStopped(f"the market has stopped by a defect: {type(defect).__name__}: {defect}") from defect
