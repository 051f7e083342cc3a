"""Replies as faults want them: lost, cut, empty, another status, another body, a page of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from simulator.wire.endpoint import Reply
from simulator.wire.pipeline import Outcome

HTML = "text/html;charset=UTF-8"
UNKNOWN_503 = "Unknown error, please check your request or try again later."
KNOWN: dict[int, tuple[int, str]] = {
    -1000: (500, "An unknown error occurred while processing the request."),
    -1001: (500, "Internal error; unable to process your request. Please try again."),
    -1006: (500, "An unexpected response was received from the message bus. Execution status unknown."),
    -1007: (504, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1016: (503, "This service is no longer available."),
    -2010: (400, "Duplicate order sent."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
}
"""Status and text of a code, where the rule gives only the code."""


def outcome(given: Mapping[str, Any], true: Reply) -> Outcome:
    """What becomes of the true reply under a fault of `REPLY_KINDS` with all its arguments."""
    kind = given["kind"]
    if kind == "reply_lost":
        return Outcome(true, given.get("how") or "reset")
    if kind == "reply_cut":
        return Outcome(true, "cut_length" if given.get("how") == "length" else "cut_chunked")
    if kind == "reply_empty":
        return Outcome(Reply(b"", given.get("status") or 200))
    if kind == "reply_html":
        return Outcome(page(given.get("status") or 200))
    if kind == "reply_other":
        body = given.get("body")
        return Outcome(Reply(anothers(true.body) if body is None else body, 200))
    return Outcome(_status(given))


def _status(given: Mapping[str, Any]) -> Reply:
    code, message, body = given.get("code"), given.get("msg"), given.get("body")
    status, text = KNOWN.get(code or 0, (503 if code is None else 400, UNKNOWN_503))
    if body is None:
        body = {"code": code or 0, "msg": text if message is None else message}
    if isinstance(body, str):
        return Reply(body.encode(), given.get("status") or status, content_type="text/plain;charset=UTF-8")
    return Reply(body, given.get("status") or status)


def page(status: int) -> Reply:
    """What a proxy or firewall answers."""
    title = f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else str(status)
    lines = ("<html>", f"<head><title>{title}</title></head>", f"<body><h1>{title}</h1></body>", "</html>")
    return Reply("\r\n".join(lines).encode(), status, content_type=HTML)


def anothers(body: object) -> object:
    """A body of the same shape that belongs to somebody else: other symbol, ids and client ids."""
    if isinstance(body, list):
        return [anothers(item) for item in body]
    if not isinstance(body, dict):
        return body
    return {name: _anothers_value(name, value) for name, value in body.items()}


def _anothers_value(name: str, value: object) -> object:
    if name == "symbol":
        return "OTHERUSDT"
    if name in ("clientOrderId", "origClientOrderId", "listClientOrderId", "clientAlgoId"):
        return "somebody-elses"
    if name in ("orderId", "algoId", "orderListId") and isinstance(value, int):
        return value + 1_000_003
    return anothers(value)


def drop_item(reply: Reply, index: int) -> None:
    """Take one item out of a list body, if there is such an item."""
    if isinstance(reply.body, list) and -len(reply.body) <= index < len(reply.body):
        reply.body = [item for place, item in enumerate(reply.body) if place != index % len(reply.body)]
