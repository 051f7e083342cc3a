"""Connections that end badly on purpose: reset, closed, left hanging, or cut in the middle of a reply."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

from aiohttp import web

from simulator.wire.pipeline import Outcome

_NO_LINGER = struct.pack("ii", 1, 0)
_POLL_SECONDS = 0.02


async def break_off(
    request: web.BaseRequest, outcome: Outcome, content: bytes, closing: asyncio.Event
) -> web.StreamResponse:
    """Do to the connection what the outcome says; the response given back finds it closed and goes nowhere."""
    carrier = request.transport
    if carrier is not None:
        if outcome.wire == "hang":
            await _hang(carrier, outcome.hang_ms, closing)
        elif outcome.wire == "reset":
            reset(carrier)
        else:
            if outcome.wire != "fin":
                _write_half(carrier, outcome, content)
            carrier.close()
    return web.Response()


def reset(carrier: asyncio.BaseTransport) -> None:
    """Close with RST instead of FIN."""
    peer: socket.socket | None = carrier.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    cast("asyncio.Transport", carrier).abort()


async def _hang(carrier: asyncio.BaseTransport, hang_ms: int | None, closing: asyncio.Event) -> None:
    """Say nothing until the client gives up, the time is over or the server stops; then close."""
    loop = asyncio.get_running_loop()
    deadline = None if hang_ms is None else loop.time() + hang_ms / 1000
    while not (carrier.is_closing() or closing.is_set()):
        if deadline is not None and loop.time() >= deadline:
            break
        await asyncio.sleep(_POLL_SECONDS)
    carrier.close()


def _write_half(carrier: asyncio.BaseTransport, outcome: Outcome, content: bytes) -> None:
    """Status line, headers and the first half of the body; the promised rest never comes."""
    half = content[: max(1, len(content) // 2)] if content else b"{"
    head = [f"HTTP/1.1 {outcome.reply.status} OK", f"Content-Type: {outcome.reply.content_type}"]
    head += [f"{name}: {value}" for name, value in outcome.reply.headers.items() if name != "Content-Type"]
    if outcome.wire == "cut_chunked":
        head.append("Transfer-Encoding: chunked")
        body = f"{len(half):x}\r\n".encode() + half + b"\r\n"
    else:
        head.append(f"Content-Length: {max(len(content), len(half) + 1)}")
        body = half
    cast("asyncio.Transport", carrier).write("\r\n".join([*head, "", ""]).encode() + body)
