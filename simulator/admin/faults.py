"""Setting, reading and lifting faults."""

from __future__ import annotations

from simulator.admin.context import Context, verb
from simulator.admin.fields import BadField, Fields, Missing
from simulator.faults import BadRule
from simulator.faults.kinds import KINDS


@verb("GET", "/faults")
def list_faults(context: Context, fields: Fields) -> object:
    """Every rule on the board, spent ones included."""
    fields.done()
    return context.venue.faults.views()


@verb("GET", "/faults/kinds")
def list_kinds(context: Context, fields: Fields) -> object:
    """What can be injected, with arguments and defaults."""
    fields.done()
    return {
        name: {
            "text": kind.text,
            "args": {
                key: {"type": item.type.__name__, "default": item.default} for key, item in kind.arguments.items()
            },
        }
        for name, kind in KINDS.items()
    }


@verb("POST", "/faults")
def add_fault(context: Context, fields: Fields) -> object:
    """Set one rule: kind, args, selectors, extent."""
    board = context.venue.faults
    try:
        return board.view(board.add(fields.everything()))
    except BadRule as error:
        raise BadField(error.field, error.reason) from None


@verb("DELETE", "/faults")
def clear_faults(context: Context, fields: Fields) -> object:
    """Lift everything."""
    fields.done()
    context.venue.faults.clear()
    return []


@verb("DELETE", "/faults/{id}")
def remove_fault(context: Context, fields: Fields) -> object:
    """Lift one rule, letting go what it holds."""
    number = fields.integer("id", 1, 2**31)
    fields.done()
    if not context.venue.faults.remove(number):
        raise Missing(f"there is no fault {number}")
    return context.venue.faults.views()


@verb("POST", "/faults/{id}/release")
def release_fault(context: Context, fields: Fields) -> object:
    """Let the requests go that a late rule with hold keeps back."""
    number = fields.integer("id", 1, 2**31)
    fields.done()
    if not context.venue.faults.release(number):
        raise Missing(f"there is no fault {number}")
    return {"released": number}
