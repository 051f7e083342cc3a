"""The command line of the simulated venue: read the options, start, say where it listens, end on Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from simulator.config import (
    BadOption,
    SimulatorConfig,
    parse_account,
    parse_market,
    parse_speed,
    parse_time,
)

T = TypeVar("T")

DEMO_ACCOUNT = "demo:demo:USDT=100000,BTC=1,ETH=10,BNB=10"
"""Opened when no --account is given, so that a first try needs no set-up. Simulated money only."""


def build_parser() -> argparse.ArgumentParser:
    """The options, with their help."""
    parser = argparse.ArgumentParser(
        prog="ares simulator",
        description="A local Binance: spot and USD-M futures, REST, WebSocket API and streams on one port.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=8090, metavar="P", help="trading port, 0 for a free one (default 8090)")
    add("--admin-port", type=_port, default=0, metavar="A", help="operator's port, 0 for a free one (default)")
    add("--host", default="127.0.0.1", help="address to listen on; loopback unless --allow-remote is given")
    add("--allow-remote", action="store_true", help="let --host be an address that others can reach")
    add("--market", type=_option(parse_market), default="generated:1", metavar="M",
        help="replay:PATH[@SYMBOL][,PATH...] or generated:SEED (default generated:1)")  # fmt: skip
    add("--speed", type=_option(parse_speed), default="1", metavar="N",
        help="market time per real time; max for as fast as possible, 0 to step it by the admin API")  # fmt: skip
    add("--start", type=_option(parse_time), metavar="TIME", help="first moment of market time (UTC)")
    add("--symbols", type=_symbols, default=(), metavar="S[,S...]", help="symbols to list, e.g. BTCUSDT,ETHUSDT")
    add("--account", type=_option(parse_account), action="append", default=[], metavar="SPEC",
        help="KEY:SECRET:ASSET=AMOUNT[,...], on spot and on USD-M; may be repeated")  # fmt: skip
    add("--tape", type=Path, metavar="PATH", help="also write the tape to this file")
    add("--funding", type=Path, metavar="PATH", help="CSV of funding rates: symbol,time,value")
    add("--gaps", choices=("refuse", "outage"), default="refuse",
        help="what to do with holes in replayed bars: refuse them, or replay them as outages")  # fmt: skip
    add("--prints-per-minute", type=_prints, default=20, metavar="N", help="trades one minute bar becomes (4 to 600)")
    add("--lift-limits", action="store_true", help="switch off rate and order limits")
    add("--announce", type=Path, metavar="PATH", help="write addresses and pid as JSON here once it listens")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until interrupted; gives the exit status: 2 for a bad option, 1 when it cannot start or the market breaks."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        config = config_from(options)
    except BadOption as error:
        parser.error(str(error))
    try:
        return _run(config, options.announce)
    except (OSError, ValueError) as error:
        print(f"ares simulator: {error}", file=sys.stderr)
        return 1


def _run(config: SimulatorConfig, announce: Path | None) -> int:
    import uvloop  # slow imports that --help and option errors do not need

    from simulator.server import MarketStopped

    try:
        uvloop.run(_serve(config, announce))
    except MarketStopped as error:
        traceback.print_exception(error.__cause__)
        print(f"ares simulator: {error}; the lines above say where", file=sys.stderr)
        return 1
    return 0


def config_from(options: argparse.Namespace) -> SimulatorConfig:
    """The configuration of parsed options; raises `BadOption` for values that do not go together."""
    if not _is_loopback(options.host) and not options.allow_remote:
        raise BadOption(
            f"--host: {options.host} can be reached from outside; this venue believes anyone who reaches its admin "
            "port, so say --allow-remote as well if you mean it"
        )
    if options.funding is not None and not options.funding.is_file():
        raise BadOption(f"--funding: there is no file {options.funding}")
    if options.tape is not None and not options.tape.parent.is_dir():
        raise BadOption(f"--tape: the folder {options.tape.parent} does not exist; create it first")
    keys = [account.key for account in options.account]
    if len(set(keys)) != len(keys):
        raise BadOption("--account: two accounts have the same key; every account needs a key of its own")
    return SimulatorConfig(
        host=options.host, port=options.port, admin_port=options.admin_port, market=options.market,
        speed=options.speed, start_ms=options.start, symbols=options.symbols, tape=options.tape,
        accounts=tuple(options.account) or (parse_account(DEMO_ACCOUNT),), gaps=options.gaps,
        prints_per_minute=options.prints_per_minute, lift_limits=options.lift_limits, funding=options.funding,
    )  # fmt: skip


async def _serve(config: SimulatorConfig, announce: Path | None) -> None:
    from simulator.server import running  # so that --help and option errors come at once

    loop = asyncio.get_running_loop()
    async with running(config) as simulator:
        _collect_rarely()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, simulator.ended.set)
        where = {
            "pid": os.getpid(),
            "rest": simulator.rest_url,
            "stream": simulator.stream_url,
            "admin": simulator.admin_url,
        }
        if announce is not None:
            _write_whole(announce, orjson.dumps(where))
        print(_greeting(config, where), flush=True)
        await simulator.ended.wait()
    print("ares simulator: stopped", flush=True)


def _collect_rarely() -> None:
    """Keep the garbage collector from stopping the venue: what it holds grows with every order and is no garbage.

    A few thousand objects at a time take it milliseconds; what has lived through two looks is hardly looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 3, 1_000_000)


def _write_whole(path: Path, content: bytes) -> None:
    """A reader sees the whole file or none."""
    draft = path.with_suffix(path.suffix + ".part")
    draft.write_bytes(content)
    draft.replace(path)


def _greeting(config: SimulatorConfig, where: dict[str, object]) -> str:
    names = ", ".join(account.key for account in config.accounts)
    return (
        f"ares simulator: spot and USD-M futures on {where['rest']} (REST) and {where['stream']} (WebSocket)\n"
        f"ares simulator: admin API on {where['admin']}/admin, market {config.market}, keys: {names}\n"
        "ares simulator: simulated money only; Ctrl-C ends it"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _option(parse: Callable[[str], T]) -> Callable[[str], T]:
    """An argparse type whose refusals keep their own words."""

    def convert(text: str) -> T:
        try:
            return parse(text)
        except BadOption as error:
            raise argparse.ArgumentTypeError(str(error).split(": ", 1)[-1]) from None

    return convert


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 0 to 65535")
    return int(text)


def _prints(text: str) -> int:
    if not text.isdigit() or not 4 <= int(text) <= 600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 4 to 600")
    return int(text)


def _symbols(text: str) -> tuple[str, ...]:
    symbols = tuple(text.split(","))
    for symbol in symbols:
        if not symbol.isalnum() or not symbol.isupper():
            raise argparse.ArgumentTypeError(f"'{symbol}' is not an upper-case symbol such as BTCUSDT")
    return symbols
