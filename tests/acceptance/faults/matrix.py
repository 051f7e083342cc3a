"""What can go wrong with orders, streams, rules and grids, and which test drives it through the whole platform.

Every row of the catalogue has an entry: the tests in which the engine, the adapter and the journal meet the fault at
the simulated venue, or why it cannot concern this code.
"""

from __future__ import annotations

from dataclasses import dataclass

ROWS = {"F-EX": 27, "F-WS": 15, "F-RULE": 11, "F-GRID": 9, "F-COPY": 13}
"""How many rows each part has; they are numbered from 01."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that can go wrong, and the tests that show what becomes of it."""

    what: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A row that cannot concern this code; `tests` show that it cannot."""

    what: str
    why: str
    tests: tuple[str, ...] = ()


def _row(what: str, file: str, *names: str) -> Row:
    return Row(what, tuple(f"test_{file}.py::test_{name}" for name in names))


def _copy(what: str, *names: str) -> Row:
    """Copying has tests of its own in several folders."""
    return Row(what, tuple(f"../../{name.replace('::', '::test_')}" for name in names))


LOST = "an_order_whose_answer_is_lost_is_found_and_never_sent_again"
AFTER_THE_END = "a_reply_after_the_stream_told_of_the_end_changes_nothing"

MATRIX: dict[str, Row | Elsewhere] = {
    "F-EX-01": _row("accepted, response lost", "orders", LOST),
    "F-EX-02": _row("accepted, 503", "orders", LOST),
    "F-EX-03": _row("accepted, 5xx with a code", "orders", LOST),
    "F-EX-04": _row("accepted, -1006 or -1007 with any status", "orders", LOST),
    "F-EX-05": _row("accepted, 200 cut, empty or HTML", "orders", LOST),
    "F-EX-06": _row("appears late", "orders", "an_order_that_appears_late_is_adopted_and_its_slot_waits_for_it"),
    "F-EX-07": _row("swallowed", "orders", "a_swallowed_order_is_lost_only_after_its_dead_time_and_replaced_once"),
    "F-EX-08": _row(
        "a lost order appears",
        "orders",
        "a_lost_order_that_appears_is_cancelled_at_once_beside_its_successor",
        "a_lost_order_that_appears_partly_filled_is_booked_and_its_rest_cancelled_at_once",
        "fills_of_a_lost_order_that_appears_are_booked_to_its_intent",
    ),
    "F-EX-09": _row(
        "the same client id again",
        "orders",
        "a_client_id_is_never_journaled_twice_so_a_filled_order_cannot_be_sent_again",
    ),
    "F-EX-10": _row("duplicate order sent", "orders", "duplicate_order_sent_on_the_first_answer_means_that_ours_lives"),
    "F-EX-11": _row(
        "stream first, then -1007", "orders", "what_the_stream_said_before_the_reply_wins_and_nothing_is_asked"
    ),
    "F-EX-12": _row("the end first, then the reply", "orders", AFTER_THE_END),
    "F-EX-13": _row(
        "cancel accepted, reply lost",
        "cancels",
        "a_cancel_whose_answer_is_lost_is_asked_for_until_the_order_has_ended",
        "a_cancel_that_never_arrived_is_sent_again_until_it_does",
    ),
    "F-EX-14": _row("cancel crosses a fill", "cancels", "a_cancel_refused_because_the_order_was_filled_books_the_fill"),
    "F-EX-15": _row(
        "a fill after the cancel", "cancels", "a_fill_that_is_told_after_the_cancel_is_booked_on_the_cancelled_order"
    ),
    "F-EX-16": Elsewhere(
        "halves of a cancelReplace",
        "no request of this code cancels and places in one: an order is replaced once its end is known, and every test "
        "here ends with a check that only known requests were made",
        ("test_grids.py::test_parameters_changed_while_nobody_was_there_are_an_edit",),
    ),
    "F-EX-17": _row("half of many cancels", "cancels", "half_of_many_cancels_without_an_answer_are_settled_one_by_one"),
    "F-EX-18": _row(
        "batch with a hole",
        "cancels",
        "an_order_that_a_batch_s_answer_leaves_out_is_found_and_not_sent_again",
        "a_batch_of_three_taken_one_refused_and_one_missing_is_settled_one_by_one",
    ),
    "F-EX-19": _row(
        "pruned from queries",
        "venue_moods",
        "an_order_that_queries_have_forgotten_ends_with_what_the_trades_say",
        "an_archived_order_has_ended_without_any_execution",
    ),
    "F-EX-20": _row(
        "conditional order elsewhere",
        "venue_moods",
        "a_conditional_order_is_looked_for_where_it_lives_before_anything_is_concluded",
    ),
    "F-EX-21": _row(
        "stale list of open orders",
        "venue_moods",
        "a_stale_list_of_open_orders_ends_nothing",
        "a_stale_list_that_shows_what_has_ended_raises_no_alarm",
    ),
    "F-EX-22": _row(
        "halts and maintenance",
        "venue_moods",
        "a_halt_stops_new_orders_after_one_refusal_and_ends_by_itself",
        "a_venue_that_cannot_be_reached_gets_no_orders_until_it_was_read_again",
    ),
    "F-EX-23": _row(
        "the venue cancels; EXPIRED_IN_MATCH",
        "venue_moods",
        "an_order_the_venue_ends_is_placed_again_once_and_then_ever_more_slowly",
        "orders_that_meet_ones_of_the_same_account_expire_and_are_placed_again",
    ),
    "F-EX-24": _row(
        "key revoked",
        "venue_moods",
        "a_refused_key_stops_everything_after_one_failed_call",
        "a_refused_key_of_one_account_leaves_another_alone",
    ),
    "F-EX-25": _row(
        "money withdrawn", "venue_moods", "money_that_is_gone_stops_entries_after_three_tries_and_exits_go_on"
    ),
    "F-EX-26": _row(
        "the owner trades by hand",
        "venue_moods",
        "what_the_owner_does_by_hand_is_not_fought",
        "what_the_owner_sells_by_hand_is_neither_bought_back_nor_sold_again",
    ),
    "F-EX-27": _row("somebody else's body", "orders", LOST),
    "F-WS-01": _row(
        "silent stall",
        "streams",
        "a_private_stream_that_stalls_is_replaced_and_what_it_missed_is_booked",
        "a_price_stream_that_stalls_or_freezes_is_found_out_by_asking",
    ),
    "F-WS-02": _row("half-open connection", "streams", "a_half_open_connection_is_noticed_and_nothing_is_lost"),
    "F-WS-03": _row("forced ends", "streams", "a_connection_that_ends_loses_and_doubles_no_fill"),
    "F-WS-04": _row("events lost", "streams", "events_lost_around_a_reconnect_are_read_from_the_trades"),
    "F-WS-05": _row(
        "doubled, reordered, replayed", "streams", "events_doubled_reordered_and_replayed_end_in_the_same_books"
    ),
    "F-WS-06": _row(
        "listen key dies", "streams", "a_futures_listen_key_that_dies_is_replaced_while_keeping_it_alive_fails"
    ),
    "F-WS-07": _row("spot listen keys are gone", "streams", "spot_never_asks_for_a_listen_key"),
    "F-WS-08": _row("fill before NEW", "streams", "a_fill_that_is_told_before_its_order_counts_once"),
    "F-WS-09": _row("our id only in C", "streams", "a_cancel_told_under_the_cancels_own_name_ends_the_right_order"),
    "F-WS-10": _row(
        "nonsense",
        "streams",
        "nonsense_on_the_private_stream_reaches_no_strategy_and_costs_no_news",
        "nonsense_on_the_price_stream_moves_nothing",
        "nonsense_in_the_answer_to_a_question_is_asked_again",
    ),
    "F-WS-11": _row("a handler fails", "streams", "a_handler_that_fails_on_one_message_does_not_end_the_stream"),
    "F-WS-12": _row("connects refused", "streams", "connects_that_are_refused_again_and_again_are_spread_out"),
    "F-WS-13": _row("slow reader", "streams", "a_process_that_is_stuck_for_a_while_reads_everything_afterwards"),
    "F-WS-14": _row(
        "prices frozen",
        "streams",
        "a_price_stream_that_stalls_or_freezes_is_found_out_by_asking",
        "no_order_starts_from_a_price_that_is_too_old",
    ),
    "F-WS-15": _row(
        "two connections, one account",
        "streams",
        "two_connections_that_tell_of_one_account_count_each_trade_once",
    ),
    "F-RULE-01": _row(
        "odd quantities",
        "rules",
        "amounts_of_any_fineness_are_cut_to_whole_lots_and_never_refused",
        "a_quantity_off_the_venues_steps_is_refused_by_its_name_and_changes_nothing",
    ),
    "F-RULE-02": _row(
        "rules change",
        "rules",
        "a_smallest_order_that_grows_meanwhile_is_known_after_one_refusal",
        "steps_that_change_while_orders_rest_stop_new_orders_and_say_what_to_do",
    ),
    "F-RULE-03": _row(
        "fee in the bought coin", "rules", "a_fee_in_the_bought_coin_leaves_dust_that_is_counted_to_the_last_unit"
    ),
    "F-RULE-04": _row("fee assets change", "rules", "fees_in_three_assets_between_the_parts_of_one_order_balance"),
    "F-RULE-05": _row(
        "too small a remainder", "rules", "a_remainder_too_small_to_sell_becomes_dust_and_the_cycle_goes_on"
    ),
    "F-RULE-06": Elsewhere(
        "quote-quantity market order fills less",
        "no order of this code names a quote quantity; a market order's reservation is given back to the last unit",
        ("test_rules.py::test_a_market_order_gives_its_reservation_back_to_the_last_unit",),
    ),
    "F-RULE-07": Elsewhere(
        "tiny prices, huge quantities, 18 decimals",
        "the simulated venue books every asset with eight digits, as this venue does; the law's integers, the columns "
        "and the texts on the wire are held to these sizes by property tests",
        ("../../property/test_money.py::test_wire_text_is_plain_short_and_means_the_same",),
    ),
    "F-RULE-08": _row("price range", "rules", "levels_beyond_the_venues_price_range_wait_until_the_market_is_nearer"),
    "F-RULE-09": _row("most orders", "rules", "more_levels_than_the_venue_lets_rest_work_nearest_first"),
    "F-RULE-10": _row(
        "numbers that are none",
        "streams",
        "nonsense_on_the_private_stream_reaches_no_strategy_and_costs_no_news",
        "nonsense_on_the_price_stream_moves_nothing",
    ),
    "F-RULE-11": _row("delisting", "rules", "a_delisted_symbol_stops_its_strategy_and_no_other"),
    "F-GRID-01": _row(
        "a gap through twenty levels",
        "grids",
        "a_gap_through_twenty_levels_fills_each_once_and_offers_each_once",
    ),
    "F-GRID-02": _row(
        "swings by a tick",
        "grids",
        "a_price_that_swings_by_a_tick_around_a_level_pairs_each_purchase_with_one_sale",
    ),
    "F-GRID-03": _row(
        "filled while offline", "grids", "what_filled_while_nobody_was_there_is_offered_once_from_the_fills"
    ),
    "F-GRID-04": _row(
        "edits",
        "grids",
        "an_edit_while_orders_are_unknown_drains_the_old_ones_first",
        "parameters_changed_while_nobody_was_there_are_an_edit",
    ),
    "F-GRID-05": _row(
        "partial fill, then withdrawn", "grids", "a_bid_that_moves_after_a_partial_fill_offers_only_what_it_bought"
    ),
    "F-GRID-06": _row("doubled news", "grids", "news_of_a_fill_that_comes_many_times_starts_one_next_order"),
    "F-GRID-07": _row("two strategies cross", "grids", "two_strategies_on_one_symbol_never_trade_with_each_other"),
    "F-GRID-08": _row(
        "idle for hours",
        "grids",
        "an_instance_that_idles_although_it_has_work_is_noticed_and_healed",
        "an_instance_that_a_price_did_not_wake_is_woken_and_a_person_told",
        "an_engine_that_has_ended_by_itself_is_noticed",
    ),
    "F-GRID-09": _row(
        "stop loss while orders are unknown",
        "grids",
        "a_stop_loss_while_orders_are_unknown_sells_no_more_than_is_held",
    ),
    "F-COPY-01": _copy(
        "master path 1.0, 2.0, 0.5, -1.0, 0",
        "platform/test_copying.py::followers_hold_exactly_their_ratio_of_the_master_after_each_change_and_end_flat",
        "unit/engine/copying/test_following.py::the_masters_path_is_followed_exactly_and_ends_flat",
    ),
    "F-COPY-02": _copy(
        "a worker dies at a random follower",
        "platform/test_copying_deaths.py::"
        "followers_of_a_worker_that_is_killed_end_at_their_target_without_a_doubled_order",
        "platform/test_copying_deaths.py::a_thousand_followers_of_a_worker_that_is_killed_end_at_their_target",
    ),
    "F-COPY-03": _copy(
        "the same event five times, or out of order",
        "unit/domain/copying/test_targets.py::positions_told_five_times_or_out_of_order_change_nothing",
        "unit/engine/copying/test_account_watch.py::executions_that_come_twice_late_and_in_another_order_count_once",
        "unit/engine/copying/test_following.py::the_same_target_told_again_or_late_places_nothing",
        "integration/test_copy_queries.py::an_event_that_is_told_twice_is_one_signal",
    ),
    "F-COPY-04": _copy(
        "a restart after the master has changed",
        "integration/test_copies_are_kept.py::"
        "a_restart_after_the_master_has_changed_goes_to_the_newest_without_the_history",
        "unit/engine/copying/test_following.py::another_process_goes_on_from_the_target_that_was_kept",
    ),
    "F-COPY-05": _copy(
        "fifty changes in ten seconds",
        "unit/engine/copying/test_following.py::"
        "fifty_changes_while_an_order_is_under_way_become_one_order_for_the_newest",
        "unit/domain/copying/test_targets.py::a_follower_that_missed_a_hundred_changes_needs_only_the_last",
    ),
    "F-COPY-06": _copy(
        "too little money, or too small an order",
        "platform/test_copying.py::"
        "a_follower_without_the_money_is_told_so_tries_no_more_than_a_few_times_and_holds_nobody_up",
        "unit/engine/copying/test_following.py::"
        "what_is_below_the_smallest_order_is_remembered_and_traded_once_it_is_worth_it",
        "unit/tasks/test_copy_logs.py::a_remainder_that_cannot_be_traded_ends_its_signal_with_the_reason",
    ),
    "F-COPY-07": _copy(
        "one follower's venue hangs",
        "platform/test_copying.py::a_venue_that_hangs_for_one_follower_holds_no_other_up_and_doubles_nothing",
        "unit/tasks/test_a_follower_hangs.py::the_slowest_hundredth_of_the_others_is_as_fast_as_without_it",
    ),
    "F-COPY-08": _copy(
        "cancelled between plan and send",
        "integration/test_copies_are_kept.py::a_target_that_was_decided_before_the_follower_stopped_is_not_kept_after_it",
        "unit/engine/copying/test_following.py::a_follower_stopped_before_its_order_left_sends_none",
    ),
    "F-COPY-09": _copy(
        "the master is partly filled, then cancelled",
        "unit/engine/copying/test_account_watch.py::the_position_follows_executions_and_not_orders",
    ),
    "F-COPY-10": _copy(
        "a circle",
        "integration/api/test_copying.py::nobody_copies_a_copy_of_itself",
        "unit/domain/copying/test_targets.py::followers_of_themselves_and_circles_are_refused_by_name",
        "unit/domain/copying/test_targets.py::a_circle_that_was_closed_all_the_same_is_found_and_nothing_beside_it_is",
        "integration/test_copies_are_kept.py::a_circle_that_was_closed_all_the_same_enters_nothing_and_lets_exits_follow",
    ),
    "F-COPY-11": _copy(
        "ratios that are none; lots of other sizes",
        "integration/api/test_copying.py::terms_that_make_no_sense_are_refused_with_their_field",
        "unit/domain/copying/test_targets.py::ratios_outside_the_range_are_refused",
        "unit/domain/copying/test_targets.py::what_is_below_a_lot_is_rounded_towards_nothing_and_says_so",
    ),
    "F-COPY-12": _copy(
        "an illiquid coin, pumped into followers",
        "unit/engine/copying/test_following.py::an_entry_keeps_to_its_collar_and_an_exit_to_none",
        "unit/domain/copying/test_targets.py::caps_hold_entries_back_say_which_and_never_close_what_is_held",
        "unit/tasks/test_copy_liquidity.py::"
        "an_illiquid_symbol_is_not_entered_and_what_is_held_of_it_is_closed_with_the_master",
        "unit/tasks/test_copy_liquidity.py::what_was_traded_within_a_day_is_compared_with_the_floor_of_its_quote_asset",
    ),
    "F-COPY-13": _copy(
        "executions are known a loop later",
        "unit/engine/copying/test_following.py::"
        "a_target_that_comes_with_the_news_of_an_execution_does_not_count_it_twice",
    ),
}
