"""A run on the simulated venue in lockstep, recorded: what each instance was told, and what it decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from core.base_exchange import PriceUpdate
from core.base_journal import BaseJournal, ForwardingJournal, Step
from db.journal import GroupCommitJournal
from tests.acceptance.live_node import Node
from tests.acceptance.lockstep import KEY, SECRET, Lockstep, Operator, node
from tests.acceptance.scene import Bot, Scene
from tests.journal_database import prepare
from tests.parity.recording import Recording
from tests.simulator_process import simulator_process

PAST_BARS = 100


@dataclass
class Scribe:
    """Writes one instance's recording. Until the market is followed, its price is the one at the start."""

    symbol: str
    node: Node | None = None
    early: list[Step] = field(default_factory=list)
    recording: Recording | None = None

    def keep(self, step: Step) -> None:
        """A step was committed."""
        if self.recording is None:
            self.early.append(step)
            return
        self.recording.see(step.time_ms, self._price(), 0)
        self.recording.keep(step)

    async def follow(self, up: Node, bot: Bot) -> None:
        """Write down from now on; the market has stood still since the instance was taken up."""
        self.node = up
        venue = up.market.venue(up.exchange)
        recording = Recording(up.exchange.instrument(self.symbol))
        start_ms = min(step.time_ms for step in self.early)
        recording.see(start_ms - 1, self._price(), 0)
        self.recording = recording
        for step in self.early:
            self.keep(step)
        seen = {"ms": start_ms, "ticks": self._price()}

        def listen(update: PriceUpdate, _: int) -> None:
            if update.traded or update.last != seen["ticks"]:
                seen["ticks"] = update.last
                recording.see(update.time_ms, update.last, max(update.traded, 1))

        venue.follow(self.symbol, listen)
        recording.bars += await venue.join_bars(self.symbol, bot.interval, recording.bars.append, PAST_BARS)

    def _price(self) -> int:
        assert self.node is not None
        update = self.node.market.venue(self.node.exchange).price(self.symbol)
        assert update is not None
        return update.last


class Recorder(Lockstep):
    """A driver that counts its steps as moments of the market."""

    scribes: dict[int, Scribe]

    async def step(self, up: Node) -> None:
        """One step of market time."""
        for scribe in self.scribes.values():
            _of(scribe).moment += 1
        await super().step(up)


class RecordingJournal(ForwardingJournal):
    """A journal of which every step is also told to the instance's scribe."""

    def __init__(self, journal: GroupCommitJournal, scribes: dict[int, Scribe]) -> None:
        super().__init__(journal)
        self._scribes = scribes

    async def commit(self, step: Step) -> int:
        """Keep a step."""
        committed_ms = await self._journal.commit(step)
        self._scribes[step.instance].keep(step)
        return committed_ms


async def traded_on_the_simulator(folder: Path, scene: Scene) -> dict[int, Recording]:
    """Run a scene to its end; gives each instance's recording."""
    scribes = {bot.number: Scribe(bot.symbol) for bot in scene.bots}

    def through(journal: GroupCommitJournal) -> BaseJournal:
        return RecordingJournal(journal, scribes)

    database = prepare(f"sqlite:///{folder / 'ares.sqlite3'}", dict.fromkeys(scribes, 1))
    try:
        with simulator_process(folder, *scene.simulator_options(KEY, SECRET)) as venue:
            async with aiohttp.ClientSession() as session:
                operator = Operator(session, venue)
                start_ms = (await operator.get("time"))["market_ms"]
                driver = Recorder(operator, scene, database)
                driver.scribes = scribes
                async with node(venue, scene, database, start_ms, through) as up:
                    await driver.quiet(up)
                    for bot in scene.bots:
                        await scribes[bot.number].follow(up, bot)
                    await driver.run(up, scene.minutes)
    finally:
        database.dispose()
    return {number: _of(scribe) for number, scribe in scribes.items()}


def _of(scribe: Scribe) -> Recording:
    assert scribe.recording is not None
    return scribe.recording
