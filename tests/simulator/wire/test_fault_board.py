from __future__ import annotations

from typing import Any

import pytest

from simulator.faults import BadRule, FaultBoard, RequestScope, StreamScope
from simulator.faults.rules import glob


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


PLACE = RequestScope("spot", 1, "key-one", "POST", "/api/v3/order", "order.place", "rest", {"symbol": "BTCUSDT"})


def kinds(board: FaultBoard, scope: RequestScope = PLACE) -> list[str]:
    return [rule.kind for rule in board.for_request(scope)]


def test_a_rule_skips_the_first_and_ends_after_so_many() -> None:
    board = FaultBoard()
    board.add({"kind": "swallow", "after": 1, "times": 2})
    assert [kinds(board) for _ in range(4)] == [[], ["swallow"], ["swallow"], []]


def test_a_rule_ends_after_its_time() -> None:
    seconds = Seconds()
    board = FaultBoard(seconds)
    board.add({"kind": "swallow", "for_ms": 500})
    seconds.now = 0.499
    assert kinds(board) == ["swallow"]
    seconds.now = 0.5
    assert kinds(board) == []


@pytest.mark.parametrize(
    "selector",
    [
        {"market": "futures"},
        {"account": 2},
        {"key": "key-two"},
        {"method": "DELETE"},
        {"path": "/api/v3/order/*"},
        {"path": "order.cancel"},
        {"via": "ws"},
        {"where": {"symbol": "ETH*"}},
        {"where": {"price": "*"}},
    ],
)
def test_a_selector_that_does_not_fit_keeps_the_rule_away(selector: dict[str, Any]) -> None:
    board = FaultBoard()
    board.add({"kind": "swallow", **selector})
    assert kinds(board) == []


@pytest.mark.parametrize(
    "selector",
    [
        {"market": "spot", "account": 1, "key": "key-one", "method": "POST", "via": "rest"},
        {"path": "*/order"},
        {"path": "/api/v?/{order,openOrders}"},
        {"path": "order.*"},
        {"where": {"symbol": "BTC*"}},
    ],
)
def test_a_selector_that_fits_lets_the_rule_apply(selector: dict[str, Any]) -> None:
    board = FaultBoard()
    board.add({"kind": "swallow", **selector})
    assert kinds(board) == ["swallow"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "kind"),
        ({"kind": "no such"}, "kind"),
        ({"kind": "swallow", "paths": "x"}, "paths"),
        ({"kind": "swallow", "path": "/{a"}, "path"),
        ({"kind": "swallow", "path": "/a}"}, "path"),
        ({"kind": "swallow", "path": ""}, "path"),
        ({"kind": "swallow", "market": "options"}, "market"),
        ({"kind": "swallow", "times": 0}, "times"),
        ({"kind": "swallow", "times": True}, "times"),
        ({"kind": "swallow", "after": -1}, "after"),
        ({"kind": "swallow", "args": []}, "args"),
        ({"kind": "swallow", "where": {"a": 1}}, "where.a"),
        ({"kind": "late", "args": {"delay_ms": -1}}, "args.delay_ms"),
        ({"kind": "late", "args": {"delay": 1}}, "args.delay"),
        ({"kind": "late", "args": {"reply": {"kind": "late"}}}, "args.reply.kind"),
        ({"kind": "late", "args": {"reply": {"kind": "reply_lost", "how": "x"}}}, "args.reply.how"),
        ({"kind": "reply_lost", "args": {"how": "explode"}}, "args.how"),
        ({"kind": "disconnect", "args": {"code": 99}}, "args.code"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_field_and_changes_nothing(spec: dict[str, Any], field: str) -> None:
    board = FaultBoard()
    with pytest.raises(BadRule) as caught:
        board.add(spec)
    assert caught.value.field == field
    assert board.rules() == []
    assert not board.has_request_rules


def test_the_board_knows_which_sides_have_rules() -> None:
    board = FaultBoard()
    first = board.add({"kind": "swallow"})
    board.add({"kind": "drop"})
    assert (board.has_request_rules, board.has_stream_rules) == (True, True)
    assert board.remove(first.id)
    assert not board.remove(first.id)
    assert (board.has_request_rules, board.has_stream_rules) == (False, True)
    board.clear()
    assert (board.has_request_rules, board.has_stream_rules) == (False, False)


def test_frames_are_chosen_by_stream_and_connection() -> None:
    board = FaultBoard()
    board.add({"kind": "drop", "stream": "btcusdt@*", "times": 1})
    board.add({"kind": "duplicate", "connection": "ws-2"})

    def frame(connection: str, stream: str) -> list[str]:
        return [rule.kind for rule in board.for_frame(StreamScope("spot", connection, None, stream))]

    assert frame("ws-1", "ethusdt@trade") == []
    assert frame("ws-2", "btcusdt@trade") == ["drop", "duplicate"]
    assert frame("ws-1", "btcusdt@trade") == []


def test_a_connection_is_hit_once_by_a_rule() -> None:
    board = FaultBoard()
    rule = board.add({"kind": "disconnect", "times": 2})
    scopes = [StreamScope("spot", name) for name in ("ws-1", "ws-1", "ws-2", "ws-3")]
    assert [board.for_connection(scope) for scope in scopes] == [[rule], [], [rule], []]
    assert rule.args == {"code": 1006, "reason": ""}


def test_handshakes_are_refused_apart_from_connections() -> None:
    board = FaultBoard()
    rule = board.add({"kind": "refuse_ws", "path": "/ws-api/*", "times": 1})
    assert board.for_connection(StreamScope("spot", "ws-1", path="/ws-api/v3")) == []
    assert board.refuses_websocket(StreamScope("spot", "", path="/ws")) is None
    assert board.refuses_websocket(StreamScope("spot", "", path="/ws-api/v3")) is rule
    assert board.refuses_websocket(StreamScope("spot", "", path="/ws-api/v3")) is None


def test_listeners_hear_of_every_new_rule() -> None:
    board = FaultBoard()
    heard: list[int] = []
    board.join(lambda rule: heard.append(rule.id))
    board.add({"kind": "swallow"})
    board.add({"kind": "drop"})
    assert heard == [1, 2]


def test_a_view_does_not_show_the_whole_key() -> None:
    board = FaultBoard()
    board.add({"kind": "swallow", "key": "abcdefghijklmnop"})
    assert board.views()[0]["key"] == "abcdef..."
    assert "ghijk" not in repr(board.rules())


def test_globs_take_dots_and_brackets_literally() -> None:
    assert glob("order.*").fullmatch("order.place")
    assert not glob("order.*").fullmatch("orderXplace")
    assert glob("[a]?").fullmatch("[a]b")
