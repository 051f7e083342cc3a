"""How faults change a request: what happens to its execution, to its reply, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from simulator.errors import ORDER_NOT_FOUND, VenueError
from simulator.faults import RequestScope, Rule
from simulator.wire import auth, halves, replies, snapshots
from simulator.wire.endpoint import Reply
from simulator.wire.pipeline import (
    Admission,
    Incoming,
    Outcome,
    admit,
    carry_out,
    execute,
    record,
    refusal,
    refused_at_the_gate,
)

if TYPE_CHECKING:
    from simulator.venue import Venue

ARCHIVED = "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
_GATE = ("ban", "rate_limit", "proxy_page", "refuse_connection")
_REFUSALS = ("order_limit", "bad_key", "unknown_order", "pruned")
_REPLIES = ("reply_lost", "reply_status", "reply_cut", "reply_empty", "reply_html", "reply_other")


async def perform(venue: Venue, incoming: Incoming) -> Outcome:
    """Carry out one request under the rules that apply to it; each of them is noted on the tape."""
    rules = {rule.kind: rule for rule in venue.faults.for_request(scope_of(venue, incoming))}
    if not rules:
        return Outcome(execute(venue, incoming))
    for rule in rules.values():
        note(venue, incoming, rule)
    outcome = at_the_gate(venue, incoming, rules)
    if outcome is None:
        outcome = await _admitted(venue, incoming, rules)
    if "weight_jump" in rules:
        used = str(rules["weight_jump"].args["used"])
        outcome.reply.headers |= {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
    if "delay" in rules:
        await _wait(rules["delay"].args["after_ms"])
    return outcome


def scope_of(venue: Venue, incoming: Incoming) -> RequestScope:
    """The request as rules see it."""
    key = incoming.session_key or (venue.accounts.key(incoming.key_text) if incoming.key_text else None)
    endpoint = incoming.endpoint
    return RequestScope(
        endpoint.market,
        key.account_id if key else None,
        key.key if key else incoming.key_text,
        endpoint.method,
        endpoint.path,
        endpoint.ws,
        incoming.via,
        incoming.params.shown(),
    )


def note(venue: Venue, incoming: Incoming, rule: Rule) -> None:
    """One `fault` line: which rule touched which request, and whether it lets a passed time window count."""
    endpoint = incoming.endpoint
    venue.tape.append(
        "fault",
        rule=rule.id,
        fault=rule.kind,
        method=endpoint.method,
        path=endpoint.path or endpoint.ws,
        bypasses_window=_bypasses(rule),
    )


def _bypasses(rule: Rule) -> bool:
    return rule.kind == "bypass_recv_window" or bool(rule.args.get("bypass_recv_window"))


def at_the_gate(venue: Venue, incoming: Incoming, rules: dict[str, Rule]) -> Outcome | None:
    """The outcome of a request that never gets as far as its checks."""
    rule = next((rules[kind] for kind in _GATE if kind in rules), None)
    if rule is None:
        return None
    if rule.kind == "refuse_connection":
        return Outcome(Reply(b""), rule.args["how"])
    if rule.kind == "proxy_page":
        return Outcome(replies.page(rule.args["status"]))
    limits, market = venue.limits, incoming.endpoint.market
    if rule.kind == "rate_limit":
        return Outcome(_refusal(venue, incoming, limits.too_many_requests(market, rule.args["retry_after"])))
    until = limits.ban(market, incoming.ip, rule.args["retry_after"] * 1000)
    return Outcome(_refusal(venue, incoming, limits.banned(market, until)))


async def _admitted(venue: Venue, incoming: Incoming, rules: dict[str, Rule]) -> Outcome:
    check_time = not any(map(_bypasses, rules.values()))
    try:
        admission = admit(venue, incoming, check_time="bypass_recv_window" not in rules)
        _refuse(venue, incoming, rules)
    except VenueError as error:
        return Outcome(refused_at_the_gate(venue, incoming, error))
    if "delay" in rules:
        await _wait(rules["delay"].args["before_ms"])
    if "swallow" in rules:
        nothing = Reply({})
        return replies.outcome(rules["swallow"].args["reply"] or {"kind": "reply_lost", "how": "hang"}, nothing)
    if "reply_status" in rules and not rules["reply_status"].args["executed"]:
        return replies.outcome({"kind": "reply_status", **rules["reply_status"].args}, Reply({}))
    if "late" in rules:
        return await _late(venue, admission, rules, check_time)
    return _reply(rules, _run(venue, admission, rules, check_time))


def _refuse(venue: Venue, incoming: Incoming, rules: dict[str, Rule]) -> None:
    """Raise what a rule makes the venue say instead of the truth."""
    rule = next((rules[kind] for kind in _REFUSALS if kind in rules), None)
    if rule is None:
        return
    if rule.kind == "order_limit":
        raise venue.limits.too_many_orders(incoming.endpoint.market)
    if rule.kind == "bad_key":
        raise _bad_key(rule.args["code"])
    if rule.kind == "pruned" and rule.args["code"] == -2026:
        raise VenueError(-2026, ARCHIVED)
    raise VenueError(*ORDER_NOT_FOUND)


def _bad_key(code: int) -> VenueError:
    if code == -2014:
        return auth.bad_key_format()
    if code == -2015:
        return auth.rejected_key()
    return VenueError(-1002, "You are not authorized to execute this request.", 401)


def _run(venue: Venue, admission: Admission, rules: dict[str, Rule], check_time: bool) -> Reply:
    """Execute now, as the rules on execution want it; the time window is checked once more."""
    if "stale_lists" in rules:
        return snapshots.answer(venue, admission, rules["stale_lists"], check_time)
    if ("cancel_replace" in rules and halves.fails(rules["cancel_replace"])) or "cancel_half" in rules:
        return _run_in_part(venue, admission, rules, check_time)
    reply = carry_out(venue, admission, check_time)
    if "batch_missing" in rules:
        replies.drop_item(reply, rules["batch_missing"].args["index"])
    return reply


def _run_in_part(venue: Venue, admission: Admission, rules: dict[str, Rule], check_time: bool) -> Reply:
    incoming, key = admission.incoming, admission.key
    try:
        if check_time:
            auth.check_time(incoming.params, venue.protocol.now_us())
        if "cancel_half" in rules:
            reply = halves.cancel_half(venue, admission)
        else:
            reply = halves.cancel_replace(venue, admission, rules["cancel_replace"])
    except VenueError as error:
        reply = _refusal(venue, incoming, error)
    record(venue, incoming, reply, key.account_id if key else 0)
    return reply


def _reply(rules: dict[str, Rule], reply: Reply) -> Outcome:
    """The true reply, or what the rules make of it."""
    if "cancel_half" in rules:
        given = rules["cancel_half"].args["reply"] or {"kind": "reply_status", "code": -1007}
        return replies.outcome(given, reply)
    for kind in _REPLIES:
        if kind in rules:
            return replies.outcome({"kind": kind, **rules[kind].args}, reply)
    return Outcome(reply)


async def _late(venue: Venue, admission: Admission, rules: dict[str, Rule], check_time: bool) -> Outcome:
    """Execute later. Whoever waits for the true reply waits; a reply given by a rule goes out at once."""
    rule = rules["late"]

    async def later() -> Reply:
        if rule.args["hold"]:
            await rule.released.wait()
        else:
            await _wait(rule.args["delay_ms"])
        return _run(venue, admission, rules, check_time)

    task: asyncio.Task[Reply] = asyncio.create_task(later(), name=f"late request of rule {rule.id}")
    venue.faults.keep(task)
    if rule.args["reply"] is not None:
        return replies.outcome(rule.args["reply"], Reply({}))
    if any(kind in rules for kind in _REPLIES):
        return _reply(rules, Reply({}))
    return Outcome(await asyncio.shield(task))


def _refusal(venue: Venue, incoming: Incoming, error: VenueError) -> Reply:
    return refusal(error, incoming.via, venue.protocol.now_ms())


async def _wait(milliseconds: int) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
