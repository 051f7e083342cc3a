"""What can go wrong with leases, Redis and Celery, the database and processes, and which test drives it.

Paths of tests are those beneath `tests/`. A test of a mechanism is named with the mechanism: there the fault does no
harm, and the same fault does harm where the mechanism is switched off.
"""

from __future__ import annotations

from tests.acceptance.faults.matrix import Elsewhere, Row

PLATFORM_ROWS = {"F-LEASE": 10, "F-BUS": 16, "F-DB": 14, "F-PROC": 14}
"""How many rows each part has; they are numbered from 01."""

CUTS, DEATHS, WHOLE = "chaos/test_cuts.py", "chaos/test_deaths.py", "chaos/test_exhaustive.py"
LEASE, KEEPER = "integration/test_lease.py", "unit/tasks/test_lease_keeper.py"
REFUSES = "integration/test_redis_refuses.py"
JOURNAL, SERVER = "integration/test_journal_faults.py", "integration/test_journal_and_its_server.py"
FENCING = "integration/test_journal_fencing.py"
OUTCOMES = "integration/test_exchange_outcomes.py"
ONE, TWO, COMMANDS = "platform/test_one_worker.py", "platform/test_two_workers.py", "platform/test_commands.py"
SWEEP, DATABASE = "acceptance/crash/test_crash_sweep.py", "integration/test_database.py"
BAD_INPUT = "acceptance/faults/test_bad_input.py"
GATE, WATCHDOG = "unit/tasks/test_edition_gate.py", "unit/tasks/test_watchdog.py"


def _tests(path: str, *names: str) -> tuple[str, ...]:
    return tuple(f"../../{path}::test_{name}" for name in names)


def _mechanism(name: str) -> tuple[str, ...]:
    test = "no_harm_is_done_while_the_mechanism_is_on"
    return _tests("negative/test_mechanisms.py", f"{test}[{name.replace(' ', '_')}]")


def _row(what: str, *tests: tuple[str, ...]) -> Row:
    return Row(what, sum(tests, ()))


KILLED = _tests(DEATHS, "a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_doubled") + _tests(WHOLE, "kill_9")
ENDED = _tests(DEATHS, "a_worker_that_is_asked_to_end_hands_over_with_its_orders_resting") + _tests(WHOLE, "sigterm")
WIPED = _tests(DEATHS, "a_redis_that_lost_its_memory_moves_nothing") + _tests(WHOLE, "redis_wiped")
CUT_FROM_REDIS = _tests(CUTS, "workers_cut_off_from_redis_send_nothing_once_their_leases_are_over")
CUT_FROM_DATABASE = _tests(CUTS, "workers_cut_off_from_the_database_send_nothing")
REPEATED = _tests(CUTS, "messages_that_come_twice_late_or_from_nobody_change_nothing_that_rows_do_not_say")
WITHOUT_SIGNAL = _tests(ONE, "commands_are_carried_out_without_any_signal_by_the_poll_alone")
EVERY_PLACE = _tests(SWEEP, "a_death_at_every_place_loses_and_doubles_nothing")
RACE = _tests(FENCING, "epochs_never_overlap_when_owners_race")
OLD_DATABASE = ("test_old_databases.py::test_a_restored_backup_sends_nothing_again_and_catches_up_with_the_venue",)
NO_JOURNAL = _tests(BAD_INPUT, "without_a_journal_nothing_is_sent_and_it_goes_on_when_the_journal_is_back")

PLATFORM: dict[str, Row | Elsewhere] = {
    "F-LEASE-01": _row(
        "the owner is stopped between check and send",
        _mechanism("the lease is checked before the send"),
        _tests(OUTCOMES, "a_frozen_intent_is_refused_by_the_venues_clock"),
        _tests(DEATHS, "a_worker_frozen_for_longer_than_its_leases_does_no_harm_when_it_wakes"),
        _tests(WHOLE, "sigstop_for_longer_than_a_lease"),
    ),
    "F-LEASE-02": _row(
        "stopped for almost a lease, again and again",
        _tests(
            "unit/tasks/test_workers_that_come_back.py",
            "a_member_that_comes_back_gets_its_share_only_once_it_has_stayed",
        ),
        _tests(DEATHS, "a_worker_that_freezes_again_and_again_loses_what_it_had_once"),
    ),
    "F-LEASE-03": _row(
        "Redis answers renewals with errors, late or not at all",
        _mechanism("the lease is checked before the intent"),
        _tests(REFUSES, "nobody_acts_on_a_lease_that_a_server_which_cannot_save_does_not_renew"),
        CUT_FROM_REDIS,
        _tests(WHOLE, "redis_frozen_for_longer_than_a_lease"),
    ),
    "F-LEASE-04": _row(
        "two claimants after a failover",
        RACE,
        _mechanism("the epoch is checked in the transaction"),
        _tests(KEEPER, "a_lease_that_was_forgotten_and_taken_again_counts_no_longer_than_before_until_it_is_proven"),
        _tests(LEASE, "a_server_whose_replication_id_has_changed_has_lost_nothing"),
    ),
    "F-LEASE-05": _row(
        "Redis loses data: the epoch is the database's",
        _tests(LEASE, "a_server_that_lost_its_memory_has_another_name_and_is_young"),
        _tests(FENCING, "no_step_of_a_stale_owner_is_ever_kept"),
        WIPED,
    ),
    "F-LEASE-06": _row(
        "released or renewed by somebody else, or too late",
        _tests(
            LEASE,
            "only_the_holder_renews_and_releases",
            "a_claim_of_the_same_worker_is_told_from_its_earlier_one",
            "a_lease_that_is_not_renewed_runs_out",
        ),
        _mechanism("a lease has one holder"),
    ),
    "F-LEASE-07": _row(
        "the holder of thousands dies",
        _tests(LEASE, "five_thousand_leases_of_one_that_died_are_had_by_another_once_they_have_run_out"),
        _tests(WHOLE, "kill_9"),
    ),
    "F-LEASE-08": _row(
        "a strategy runs for a month",
        _tests(
            "unit/tasks/test_a_month_of_renewals.py",
            "a_lease_is_renewed_for_hours_without_a_gap",
            "a_lease_is_renewed_for_a_month_without_a_gap",
        ),
    ),
    "F-LEASE-09": _row(
        "the venue is reached, Redis or the database is not",
        CUT_FROM_REDIS,
        CUT_FROM_DATABASE,
        _tests(CUTS, "one_worker_cut_off_from_redis_is_replaced_and_does_no_harm_when_the_wire_is_mended"),
    ),
    "F-LEASE-10": Elsewhere(
        "a take-over forced by two people",
        "nobody can force one: leases run out within seconds by themselves, and of owners who race one is the newest; "
        "what people do give, commands, is done once a key",
        RACE + _tests("integration/api/test_both_databases.py", "one_key_sent_by_many_at_once_is_one_command"),
    ),
    "F-BUS-01": _row("a message is delivered again while what it asked for runs", REPEATED),
    "F-BUS-02": _row("a worker is killed with messages it has or has not acknowledged", KILLED, WITHOUT_SIGNAL),
    "F-BUS-03": _row(
        "the broker ends a worker's connections",
        _tests(ONE, "connections_that_redis_ends_are_made_anew_and_messages_are_taken_again"),
        WITHOUT_SIGNAL,
    ),
    "F-BUS-04": _row("Redis is wiped", WIPED),
    "F-BUS-05": _row(
        "Redis is full, or drops keys",
        _tests(
            REFUSES,
            "where_nothing_is_written_no_lease_is_given_and_afterwards_it_is",
            "leases_of_a_full_server_are_renewed_for_that_takes_no_room",
            "a_server_that_may_drop_leases_is_refused_by_name",
        ),
        _tests("platform/test_shortages.py", "a_worker_does_not_start_on_a_redis_that_may_drop_leases"),
        _tests("platform/test_shortages.py", "grids_on_a_redis_that_refuses_to_write_do_no_harm_and_go_on_afterwards"),
    ),
    "F-BUS-06": _row(
        "Redis cannot save",
        _tests(
            REFUSES,
            "where_nothing_is_written_no_lease_is_given_and_afterwards_it_is",
            "nobody_acts_on_a_lease_that_a_server_which_cannot_save_does_not_renew",
        ),
        _tests("platform/test_shortages.py", "grids_on_a_redis_that_refuses_to_write_do_no_harm_and_go_on_afterwards"),
    ),
    "F-BUS-07": _row(
        "a hundred thousand stale messages",
        _tests("platform/test_shortages.py", "a_hundred_thousand_stale_messages_change_nothing"),
    ),
    "F-BUS-08": _row(
        "a command is delivered many times, in any order",
        REPEATED,
        _tests(
            "integration/api/test_commands.py", "the_same_key_is_the_same_command_and_does_not_undo_what_came_after"
        ),
        _tests("integration/test_models_queries.py", "a_command_has_one_outcome"),
    ),
    "F-BUS-09": _row("a message is lost", WITHOUT_SIGNAL),
    "F-BUS-10": _row(
        "start and stop cross",
        _tests(COMMANDS, "flatten_sells_what_is_held_and_a_later_verb_supersedes_an_earlier_one"),
        REPEATED,
    ),
    "F-BUS-11": Elsewhere(
        "pools that never restore what was not acknowledged",
        "the pool is of threads, and nothing depends on a message coming again: what is wanted is a row",
        WITHOUT_SIGNAL,
    ),
    "F-BUS-12": _row("a stop by publish and subscribe is lost", WITHOUT_SIGNAL),
    "F-BUS-13": _row(
        "calls of the Redis client are cancelled",
        _tests(
            "integration/test_redis_client.py",
            "a_call_that_is_cancelled_leaves_no_answer_to_the_next_caller",
            "ten_thousand_cancelled_calls_leave_no_answer_to_another_caller",
        ),
    ),
    "F-BUS-14": _row(
        "poisoned messages", _tests(ONE, "messages_that_make_no_sense_are_dropped_and_the_worker_goes_on")
    ),
    "F-BUS-15": _row(
        "the clock of periodic work runs twice, or not at all",
        _tests(ONE, "an_audit_may_run_many_times_or_never_and_tells_once_of_what_nobody_runs"),
    ),
    "F-BUS-16": Elsewhere(
        "results cannot be kept",
        "tasks of trading have no results, and what becomes of a command is a row",
        WITHOUT_SIGNAL + _tests("integration/api/test_commands.py", "a_finished_command_tells_its_outcome"),
    ),
    "F-DB-01": _row(
        "restarted under load",
        _tests(WHOLE, "the_database_restarted"),
        _tests(JOURNAL, "while_the_database_is_away_steps_are_refused_and_afterwards_kept"),
        NO_JOURNAL,
    ),
    "F-DB-02": _row(
        "deadlocks",
        _tests(
            JOURNAL,
            "a_deadlock_is_tried_again_from_the_start",
            "a_deadlock_that_does_not_end_is_down_and_keeps_nothing",
        ),
    ),
    "F-DB-03": _row(
        "lost during COMMIT",
        _tests(
            JOURNAL,
            "a_commit_without_an_answer_is_unknown_until_the_intents_are_asked_for",
            "a_connection_lost_before_the_commit_is_made_anew_and_the_step_kept_once",
        ),
        _mechanism("a commit of unknown fate is read again"),
    ),
    "F-DB-04": _row(
        "a lock is not had in time", _tests(SERVER, "a_lock_that_is_not_had_in_time_leaves_no_half_of_a_step")
    ),
    "F-DB-05": _row("a replica that is behind takes over", OLD_DATABASE),
    "F-DB-06": _row(
        "read-only",
        _tests(SERVER, "a_server_that_allows_reading_only_keeps_nothing_can_be_read_and_goes_on_afterwards"),
        NO_JOURNAL,
        _tests("unit/engine/test_kill_switch.py", "the_kill_switch_cancels_entries_although_the_journal_is_down"),
    ),
    "F-DB-07": _row("the disk is full", NO_JOURNAL),
    "F-DB-08": _row(
        "reports take every connection",
        _tests(SERVER, "reports_that_take_every_connection_leave_the_journal_its_own"),
        _tests("integration/test_database.py", "whoever_only_reads_sees_one_moment_and_holds_no_writer_up"),
    ),
    "F-DB-09": _row("gone away after silence", _tests(JOURNAL, "a_connection_that_the_server_ended_costs_no_step")),
    "F-DB-10": _row(
        "a row is held by a long transaction",
        _tests(
            JOURNAL,
            "a_row_held_by_another_transaction_holds_up_its_instance_only",
            "a_row_that_is_held_too_long_is_given_up",
        ),
    ),
    "F-DB-11": _row(
        "two workers reserve at once",
        RACE,
        _tests(FENCING, "no_step_of_a_stale_owner_is_ever_kept"),
        _tests("property/test_reservations.py", "reserved_and_spent_stay_within_the_limit_and_nothing_stays_reserved"),
    ),
    "F-DB-12": _row(
        "times, repeats, characters, case",
        _tests(DATABASE, "amounts_and_moments_come_back_to_the_last_digit", "ids_that_differ_only_in_case_are_two_ids"),
        _tests(JOURNAL, "one_conflict_in_a_large_batch_fails_alone_and_repeats_are_left_out"),
        _tests("integration/api/test_both_databases.py", "a_whole_life_over_http"),
    ),
    "F-DB-13": _row(
        "migrated while bots trade",
        _tests(SERVER, "a_migration_under_a_journal_that_writes_costs_no_step"),
        _tests(GATE, "a_build_of_another_schema_takes_nothing_until_the_database_is_its_own_again"),
    ),
    "F-DB-14": _row("restored from an older backup", OLD_DATABASE),
    "F-PROC-01": _row("killed before the intent is kept", EVERY_PLACE),
    "F-PROC-02": _row("killed between intent and send", EVERY_PLACE),
    "F-PROC-03": _row("killed between send and reply", EVERY_PLACE),
    "F-PROC-04": _row("killed before the result is kept", EVERY_PLACE),
    "F-PROC-05": _row(
        "killed between a fill and what it changes",
        EVERY_PLACE,
        _tests("integration/test_journal_crash.py", "a_kill_in_the_middle_of_writing_leaves_whole_steps_only"),
    ),
    "F-PROC-06": _row(
        "killed between a purchase and its sale",
        EVERY_PLACE,
        _tests("acceptance/faults/test_grids.py", "what_filled_while_nobody_was_there_is_offered_once_from_the_fills"),
    ),
    "F-PROC-07": _row("asked to end", ENDED),
    "F-PROC-08": _row(
        "memory runs out",
        _tests(
            "unit/tasks/test_memory.py",
            "a_worker_that_takes_more_memory_than_it_may_is_asked_to_end_once",
            "a_worker_that_has_just_begun_is_left_alone",
        ),
        _tests("platform/test_shortages.py", "a_worker_that_grows_beyond_its_memory_hands_over_and_ends"),
        KILLED,
    ),
    "F-PROC-09": _row(
        "a strategy fails, or never comes back",
        _tests("unit/engine/test_what_must_never_happen_again.py", "a_step_that_breaks_stops_the_instance_and_says_so"),
        _tests(WATCHDOG, "a_loop_that_stands_still_ends_the_process_and_the_culprit_is_on_its_stack"),
        _mechanism("a process that stands still ends"),
        _tests(
            KEEPER,
            "leases_are_renewed_while_the_loop_that_uses_them_is_held_up_and_no_more_once_it_is_dead",
        ),
    ),
    "F-PROC-10": _row(
        "a strategy ends its worker at each start",
        _tests(TWO, "a_strategy_that_keeps_ending_its_node_runs_nowhere_until_a_person_has_looked"),
    ),
    "F-PROC-11": _row(
        "no file descriptors left; a loop that stands still",
        _tests("platform/test_shortages.py", "grids_of_a_worker_without_a_free_file_descriptor_do_no_harm_and_go_on"),
        _tests(KEEPER, "leases_are_renewed_while_the_loop_that_uses_them_is_held_up_and_no_more_once_it_is_dead"),
        _tests(WATCHDOG, "a_loop_that_stands_still_for_long_ends_the_process_however_starved_it_was"),
    ),
    "F-PROC-12": _row(
        "cancelled while an order is under way",
        _tests(OUTCOMES, "a_cancelled_wait_lets_the_request_finish_at_the_venue"),
        _mechanism("an unknown order locks its slot"),
    ),
    "F-PROC-13": _row(
        "a schema of another version",
        _tests("integration/test_migrations.py", "an_empty_database_is_not_current_and_a_migrated_one_is"),
        _tests(GATE, "a_build_of_another_schema_takes_nothing_until_the_database_is_its_own_again"),
        _tests("integration/test_migrate_verb.py", "a_schema_of_a_newer_build_is_left_as_it_is_and_named"),
        _tests("integration/api/test_live.py", "it_does_not_start_on_an_old_schema_and_says_so"),
    ),
    "F-PROC-14": _row(
        "two builds together",
        _tests(
            "platform/test_editions.py",
            "an_older_build_keeps_what_it_runs_and_takes_nothing_up_beside_a_newer_one",
            "an_upgrade_moves_strategies_to_the_newer_build_and_never_back",
        ),
        _tests(GATE, "the_newest_edition_takes_everything_that_is_free_and_the_older_one_nothing"),
        _tests("unit/core/test_editions.py", "the_version_of_the_law_is_raised_when_orders_get_other_names_or_places"),
        _tests("property/test_books_are_exact.py", "two_keys_never_share_a_client_order_id"),
    ),
}
