"""What can go wrong at an exchange, and how the simulated one is told to do it.

Rows F-EX are about the way of an order, F-WS about streams, F-RL about limits and bans, F-CLK about clocks. `means`
names fault kinds (of `GET /admin/faults/kinds`), operator's verbs (with a slash), or `protocol` where the venue does it
by itself. `seen_by` names tests that see it on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

ROWS = {"F-EX": 27, "F-WS": 15, "F-RL": 7, "F-CLK": 6}
"""How many rows each part has; they are numbered from 01."""

ORDERS, STREAMS, LIMITS = "test_orders.py", "test_streams.py", "test_limits_and_clocks.py"
WIRE = "../wire/test_request_faults.py"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can go wrong."""

    what: str
    means: tuple[str, ...]
    seen_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A row about the client's own machines, which no venue can cause."""

    what: str
    why: str


NOT_WHOLE = f"{ORDERS}::test_an_order_is_accepted_and_the_reply_never_comes_whole"
OTHERWISE = f"{ORDERS}::test_an_order_is_accepted_and_the_answer_says_otherwise"
BEFORE_THE_REPLY = f"{ORDERS}::test_events_come_before_the_reply"

MATRIX: dict[str, Row | Elsewhere] = {
    "F-EX-01": Row(
        "accepted, connection reset",
        ("reply_lost",),
        (NOT_WHOLE, f"{WIRE}::test_a_lost_reply_is_of_an_order_that_was_executed"),
    ),
    "F-EX-02": Row("accepted, 503", ("reply_status",), (OTHERWISE,)),
    "F-EX-03": Row("accepted, 5xx with -1000, -1001, -1008 or an unmapped code", ("reply_status",), (OTHERWISE,)),
    "F-EX-04": Row("accepted, -1006 or -1007 with status 4xx, 5xx, 200", ("reply_status",), (OTHERWISE,)),
    "F-EX-05": Row(
        "accepted, 200 with a cut, empty or HTML body",
        ("reply_cut", "reply_empty", "reply_html"),
        (NOT_WHOLE, OTHERWISE, f"{WIRE}::test_a_cut_reply_ends_too_early"),
    ),
    "F-EX-06": Row(
        "accepted late, unknown until then",
        ("late",),
        (
            f"{ORDERS}::test_an_order_appears_late_and_is_unknown_until_then",
            f"{ORDERS}::test_an_order_appears_after_a_delay_by_itself",
        ),
    ),
    "F-EX-07": Row("request swallowed", ("swallow",), (f"{ORDERS}::test_an_order_is_swallowed",)),
    "F-EX-08": Row(
        "a lost order appears much later, partly filled",
        ("late", "bypass_recv_window"),
        (f"{ORDERS}::test_a_lost_order_appears_partly_filled",),
    ),
    "F-EX-09": Row(
        "a marketable order fills unseen; its client id is sent again",
        ("reply_lost", "protocol"),
        (f"{ORDERS}::test_a_market_order_fills_unseen_and_its_id_is_free_again",),
    ),
    "F-EX-10": Row(
        "Duplicate order sent. on the first visible send",
        ("reply_status", "protocol"),
        (
            f"{ORDERS}::test_the_first_visible_answer_says_duplicate",
            f"{ORDERS}::test_an_open_orders_id_is_refused_as_a_duplicate",
        ),
    ),
    "F-EX-11": Row("events first, then the reply is -1007", ("delay", "reply_status"), (BEFORE_THE_REPLY,)),
    "F-EX-12": Row("events first, then the reply says accepted", ("delay",), (BEFORE_THE_REPLY,)),
    "F-EX-13": Row(
        "cancel accepted, reply lost", ("reply_lost",), (f"{ORDERS}::test_a_cancel_is_accepted_and_the_reply_lost",)
    ),
    "F-EX-14": Row(
        "cancel answers -2011, the order was filled just before",
        ("late", "/market/gap"),
        (f"{ORDERS}::test_a_cancel_comes_after_the_fill",),
    ),
    "F-EX-15": Row(
        "cancelled, then an earlier fill is told",
        ("reorder", "delay_frame"),
        (f"{ORDERS}::test_a_fill_is_told_after_the_cancel_that_followed_it",),
    ),
    "F-EX-16": Row(
        "each half of a cancelReplace fails in turn",
        ("cancel_replace",),
        (
            f"{ORDERS}::test_each_half_of_a_cancel_replace_fails_in_turn",
            f"{WIRE}::test_either_half_of_a_cancel_replace_fails",
        ),
    ),
    "F-EX-17": Row(
        "cancel-all times out after half", ("cancel_half",), (f"{ORDERS}::test_a_cancel_all_times_out_after_half",)
    ),
    "F-EX-18": Row(
        "batch: one refused, one missing from the answer",
        ("batch_missing",),
        (f"{ORDERS}::test_an_item_of_a_batch_is_missing_from_the_answer",),
    ),
    "F-EX-19": Row("orders pruned from queries", ("pruned",), (f"{ORDERS}::test_an_order_is_pruned_from_queries",)),
    "F-EX-20": Row(
        "conditional orders live elsewhere",
        ("protocol", "unknown_order"),
        (
            f"{ORDERS}::test_a_conditional_order_lives_on_another_endpoint",
            f"{WIRE}::test_an_order_can_be_unknown_for_some_queries",
        ),
    ),
    "F-EX-21": Row("stale list of open orders", ("stale_lists",), (f"{ORDERS}::test_a_list_of_open_orders_is_stale",)),
    "F-EX-22": Row(
        "CANCEL_ONLY, HALT, BREAK; maintenance",
        ("/market/status", "/listening"),
        (
            f"{ORDERS}::test_a_symbol_takes_no_orders_for_a_while",
            "../admin/test_operations.py::test_the_trading_port_can_be_closed_and_opened",
        ),
    ),
    "F-EX-23": Row(
        "the venue cancels by itself; EXPIRED_IN_MATCH",
        ("/orders/cancel", "protocol"),
        (
            f"{ORDERS}::test_the_venue_cancels_an_order_itself",
            f"{ORDERS}::test_self_trade_prevention_expires_an_order",
        ),
    ),
    "F-EX-24": Row(
        "-2015, -2014, -1002 in mid-run",
        ("bad_key", "/keys/{key}"),
        (f"{ORDERS}::test_a_key_is_refused_all_at_once", f"{ORDERS}::test_a_deleted_key_is_refused"),
    ),
    "F-EX-25": Row(
        "money withdrawn by another way",
        ("/accounts/{account}/withdraw",),
        (f"{ORDERS}::test_money_leaves_the_account_by_another_way",),
    ),
    "F-EX-26": Row(
        "the owner trades by hand",
        ("/accounts/{account}/keys", "/orders/cancel"),
        (f"{ORDERS}::test_the_owner_trades_by_hand_with_another_key",),
    ),
    "F-EX-27": Row("somebody else's body", ("reply_other",), (f"{ORDERS}::test_the_answer_is_somebody_elses",)),
    "F-WS-01": Row(
        "silent stall, pings answered", ("stall",), (f"{STREAMS}::test_a_stream_stalls_while_its_socket_lives",)
    ),
    "F-WS-02": Row("half-open connection", ("half_open",), (f"{STREAMS}::test_a_connection_is_half_open",)),
    "F-WS-03": Row(
        "forced close, serverShutdown, eventStreamTerminated, end of life",
        ("disconnect", "server_shutdown", "listen_key_expire", "/connections/disconnect"),
        (
            f"{STREAMS}::test_a_connection_is_closed_by_force",
            f"{STREAMS}::test_a_shutdown_is_announced",
            f"{STREAMS}::test_a_subscription_ends_while_its_connection_stays",
            "../streams/test_connection.py::test_a_connection_ends_after_its_life_and_says_so_before",
        ),
    ),
    "F-WS-04": Row(
        "events lost around a reconnect",
        ("drop", "disconnect"),
        (f"{STREAMS}::test_events_are_lost_around_a_reconnect",),
    ),
    "F-WS-05": Row(
        "events doubled, reordered, replayed",
        ("duplicate", "reorder", "delay_frame", "replay_last"),
        (
            f"{STREAMS}::test_events_are_doubled",
            f"{STREAMS}::test_an_event_is_late_and_others_overtake_it",
            f"{STREAMS}::test_old_events_are_replayed",
        ),
    ),
    "F-WS-06": Row(
        "listen key expires, keeping it alive fails or hangs, it changes",
        ("listen_key_expire", "reply_status", "swallow"),
        (
            f"{STREAMS}::test_keeping_a_listen_key_alive_fails",
            f"{STREAMS}::test_a_listen_key_changes_while_it_is_in_use",
        ),
    ),
    "F-WS-07": Row("spot listen keys are gone", ("protocol",), (f"{STREAMS}::test_spot_listen_keys_are_gone",)),
    "F-WS-08": Row("fill before NEW", ("reorder",), (f"{STREAMS}::test_a_fill_is_told_before_its_order",)),
    "F-WS-09": Row(
        "a cancel report has our id only in C",
        ("protocol",),
        (f"{STREAMS}::test_a_cancel_report_has_our_id_in_another_place",),
    ),
    "F-WS-10": Row(
        "broken JSON, unknown event, 5 MB frame, NaN and negative numbers",
        ("malformed_frame", "unknown_event", "huge_frame"),
        (
            f"{STREAMS}::test_a_frame_is_broken_and_the_next_is_whole",
            f"{STREAMS}::test_an_event_nobody_knows_comes_in_between",
            f"{STREAMS}::test_a_frame_of_five_megabytes_comes",
        ),
    ),
    "F-WS-11": Row(
        "one message on which a handler fails, good ones behind it",
        ("unknown_event",),
        (f"{STREAMS}::test_an_event_nobody_knows_comes_in_between",),
    ),
    "F-WS-12": Row(
        "most connections refused",
        ("refuse_ws", "refuse_connection"),
        (
            f"{STREAMS}::test_most_connections_are_refused",
            f"{WIRE}::test_a_refused_connection_is_closed_before_anything_is_read",
        ),
    ),
    "F-WS-13": Row(
        "more events than a client can read",
        ("/advance", "protocol"),
        (
            f"{STREAMS}::test_a_stream_can_flood_a_slow_reader",
            "../streams/test_connection.py::test_a_slow_consumer_is_closed_and_others_go_on",
        ),
    ),
    "F-WS-14": Row(
        "prices frozen while the book moves",
        ("freeze", "/market/gap"),
        (f"{STREAMS}::test_one_stream_freezes_while_the_book_moves_on",),
    ),
    "F-WS-15": Row(
        "two connections, one account", ("protocol",), (f"{STREAMS}::test_two_connections_tell_of_one_account",)
    ),
    "F-RL-01": Row("429 with Retry-After", ("rate_limit",), (f"{LIMITS}::test_too_many_requests_are_told_to_wait",)),
    "F-RL-02": Row("418 for two minutes, for three days", ("ban", "/bans"), (f"{LIMITS}::test_an_address_is_banned",)),
    "F-RL-03": Row(
        "used weight jumps",
        ("weight_jump",),
        (f"{LIMITS}::test_the_used_weight_jumps_as_if_another_program_ran",),
    ),
    "F-RL-04": Row("-1015", ("order_limit",), (f"{LIMITS}::test_the_count_of_orders_is_used_up",)),
    "F-RL-05": Row(
        "many clients of one address start together",
        ("protocol", "/limits"),
        ("../wire/test_server.py::test_too_much_weight_is_answered_with_the_time_to_wait",),
    ),
    "F-RL-06": Row(
        "one account loops on refusals",
        ("protocol", "/limits"),
        (f"{LIMITS}::test_one_accounts_order_limit_is_not_anothers",),
    ),
    "F-RL-07": Row(
        "limits change at run time",
        ("/limits",),
        (f"{LIMITS}::test_the_venue_changes_its_limits_while_it_runs",),
    ),
    "F-CLK-01": Row(
        "client and venue disagree by seconds",
        ("clock_step",),
        (
            f"{LIMITS}::test_the_venues_clock_is_off",
            f"{LIMITS}::test_a_request_signed_at_another_time_is_refused",
        ),
    ),
    "F-CLK-02": Row("a step of an hour", ("clock_step",), (f"{LIMITS}::test_the_venues_clock_is_off",)),
    "F-CLK-03": Elsewhere("the clock of the host of Redis steps", "a host of the client's"),
    "F-CLK-04": Elsewhere("the clock of the database's host steps", "a host of the client's"),
    "F-CLK-05": Elsewhere("time zones differ between containers", "the venue speaks UTC milliseconds only"),
    "F-CLK-06": Row(
        "a request signed before a long sleep",
        ("late", "protocol"),
        (
            f"{LIMITS}::test_a_request_grows_old_inside_the_venue",
            f"{WIRE}::test_the_time_window_is_checked_again_when_a_late_order_is_executed",
        ),
    ),
}
