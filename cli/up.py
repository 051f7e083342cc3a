"""`ares up`: everything on this machine, in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from cli import demo, embedded, login
from cli.installation import Installation
from cli.log_files import LogFiles
from cli.processes import Processes, ProgramFailed
from cli.terminal import Terminal
from core.clock import system_clock
from core.config import Config
from domain.errors import AresError

COLOURS: Final = {
    "redis": "magenta",
    "simulator": "cyan",
    "api": "green",
    "worker": "yellow",
    "compute": "white",
    "ares": "blue",
}


def run(config: Config, *, open_browser: bool) -> int:
    """Start everything and stay until asked to end; gives the exit status."""
    installation = Installation(config.home)
    terminal = Terminal()
    try:
        with installation.claim() as lock, LogFiles(installation.logs) as files:

            def show(name: str, line: str) -> None:
                files.write(name, line)
                terminal.say(f"{typer.style(f'{name:>9} |', fg=COLOURS.get(name))} {line}")

            processes = Processes(lock, show, system_clock().machine)
            status = asyncio.run(_Run(config, installation, processes, terminal).run(open_browser=open_browser))
            terminal.say("Stopped.")
            return status
    finally:
        terminal.close()


class _Run:
    """One run, from the first program to the last."""

    def __init__(self, config: Config, installation: Installation, processes: Processes, terminal: Terminal) -> None:
        self._config = config
        self._installation = installation
        self._processes = processes
        self._terminal = terminal
        self._page = ""
        processes.on_change = self._note

    async def run(self, *, open_browser: bool) -> int:
        """Until asked to end; gives the exit status."""
        with _asked(self._processes):
            try:
                if await self._start():
                    await self._greet(open_browser=open_browser)
                    await self._processes.watch()
            except AresError as error:
                self._terminal.say(f"ares: {error}")
                return 1
            finally:
                await self._processes.stop()
        return 0

    async def _start(self) -> bool:
        """Start the programs in order; False when asked to end meanwhile."""
        plan = embedded.plan(self._config, self._installation)
        for program in (plan.redis_program, embedded.simulator(self._config, self._installation)):
            if program is not None and not await self._processes.start(program):
                return False
        where = self._installation.simulator()
        if where is None:
            raise ProgramFailed("the simulated exchange has gone; `ares logs simulator` shows why.")
        await demo.prepare(self._config, where.rest)
        for program in embedded.nodes(plan, self._installation):
            if not await self._processes.start(program):
                return False
        self._page = plan.page
        self._note()
        return True

    async def _greet(self, *, open_browser: bool) -> None:
        link = await asyncio.to_thread(login.link, self._config, self._page)
        self._terminal.say(f"\nAres is ready. Open this link within {login.LINK_MINUTES} minutes; it works once:\n")
        self._terminal.say(f"  {link}\n\n`ares login` makes another. Simulated money only. Ctrl-C ends everything.\n")
        if open_browser and sys.stdout.isatty():
            await asyncio.to_thread(webbrowser.open, link)

    def _note(self) -> None:
        self._installation.write(self._processes.pids(), self._page)


@contextmanager
def _asked(processes: Processes) -> Iterator[None]:
    loop, numbers = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, processes.ask_to_end)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
