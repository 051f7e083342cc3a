"""Checks of what people send that need more than a schema: parameters of a kind, limits, exact amounts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ValidationError

from api.errors import BadFields, FieldError, fields_of
from core.base_strategy import StrategyKind
from core.registry import NotRegistered, Registry
from core.risk_limits import Limits
from domain.errors import Refused
from domain.money import TooFine, check_storable, to_wire
from domain.sentences import Sentence, say

#: In the place of a parameter: an instance's share of the capital.
SHARE: Final = "quote"


def kind_named(kinds: Registry[StrategyKind], name: str) -> StrategyKind:
    """The kind of strategy; `BadFields` when there is none."""
    try:
        return kinds.get(name)
    except NotRegistered as error:
        raise BadFields([FieldError("strategy_type", str(error))]) from error


def checked_parameters(kind: StrategyKind, given: Mapping[str, Any]) -> str:
    """The parameters of a strategy as they are stored: JSON, every field, amounts as decimal strings.

    `BadFields` also for values that do not go together; what depends on the market is checked where that is known.
    """
    stored = _checked(kind.params, given, "parameters")
    try:
        kind.params.model_validate(given).check_together()
    except Refused as error:
        raise field_of(error, "parameters") from error
    return stored


def check_space(kind: StrategyKind, space: Mapping[str, str]) -> None:
    """`BadFields` for a search none of whose sets could run, because of a parameter that it leaves out or misnames."""
    known = kind.params.model_fields
    if wrong := [
        FieldError(f"space.{name}", say("no_such_parameter", "{name} has no such parameter", name=kind.name))
        for name in space
        if name not in known
    ]:
        raise BadFields(wrong)
    if found := list(_wrong_in_every_set(kind, space, {})):
        raise BadFields(FieldError(f"space.{name}" if name else "space", reason) for name, reason in found)


class Searched(NamedTuple):
    """One instance of an account that is searched."""

    name: str
    kind: StrategyKind
    params: Mapping[str, Any]


def check_account_space(instances: Sequence[Searched], space: Mapping[str, str]) -> None:
    """The same for several instances, whose parameters are named `instance.parameter`, and `instance.quote` for its
    share of the capital; what an instance is given besides has to be right by itself.
    """
    places = {one.name: place for place, one in enumerate(instances)}
    wrong, words = [], [dict[str, str]() for _ in instances]
    for name, text in space.items():
        whose, _, parameter = name.partition(".")
        if whose not in places or not parameter:
            known = ", ".join(places)
            wrong.append(
                FieldError(
                    f"space.{name}",
                    say(
                        "parameter_of_no_instance",
                        "write it as instance.parameter; the instances are {known}",
                        known=known,
                    ),
                )
            )
        elif parameter in (kind := instances[places[whose]].kind).params.model_fields:
            words[places[whose]][parameter] = text
        elif parameter != SHARE:
            wrong.append(
                FieldError(f"space.{name}", say("no_such_parameter", "{name} has no such parameter", name=kind.name))
            )
    if not any("," in text or text.count(":") == 2 for text in space.values()):
        wrong.append(
            FieldError(
                "space",
                say(
                    "nothing_to_search", "no parameter has more than one value; give one as from:to:step or with commas"
                ),
            )
        )
    for place, one in enumerate(instances):
        for name, reason in _wrong_in_every_set(one.kind, words[place], one.params):
            given = f"instances.{place}.parameters.{name}".rstrip(".")
            wrong.append(FieldError(given if name in one.params or not name else f"space.{one.name}.{name}", reason))
    if wrong:
        raise BadFields(wrong)


def _wrong_in_every_set(
    kind: StrategyKind, space: Mapping[str, str], given: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Parameters, and why: what is tried may be right or wrong; what is not tried is the same in every set."""
    first = {name: re.split("[,:]", words, maxsplit=1)[0].strip() for name, words in space.items()}
    try:
        kind.params.model_validate({**given, **first}).check_together()
    except ValidationError as error:
        found = list(fields_of(error, "space"))
    except Refused as error:
        found = field_of(error, "space").errors
    else:
        return
    for one in found:
        name = one.field.removeprefix("space").removeprefix(".")
        if name.partition(".")[0] not in space:
            yield name, one.reason


def checked_limits(given: Mapping[str, Any]) -> str:
    """The risk limits as they are stored."""
    return _checked(Limits, given, "limits")


def checked_model(model: type[BaseModel], given: Mapping[str, Any], prefix: str) -> str:
    """Anything else with amounts in it, as it is stored."""
    return _checked(model, given, prefix)


def check_amount(field: str, amount: Decimal) -> None:
    """`BadFields` for an amount that cannot be stored exactly."""
    if errors := list(_bad_amounts(amount, field)):
        raise BadFields(errors)


def field_of(refused: Refused, prefix: str) -> BadFields:
    """What a strategy's own check has refused: it begins with the field's name."""
    told = str(refused)
    if isinstance(told, Sentence) and told.field:
        return BadFields([FieldError(f"{prefix}.{told.field}", told.alone)])
    field, _, reason = told.partition(": ")
    if not reason or not field.isidentifier():
        return BadFields([FieldError(prefix, str(refused))])
    return BadFields([FieldError(f"{prefix}.{field}", reason)])


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """What people sent as it is stored, where only the worker knows what it has to be: exact amounts as text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(given), default=_plain))
    return found


def _checked(model: type[BaseModel], given: Mapping[str, Any], prefix: str) -> str:
    try:
        found = model.model_validate(given)
    except ValidationError as error:
        raise BadFields(fields_of(error, prefix)) from error
    values = found.model_dump()
    if errors := list(_bad_amounts(values, prefix)):
        raise BadFields(errors)
    return json.dumps(values, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _bad_amounts(value: Any, place: str) -> Iterator[FieldError]:
    if isinstance(value, Decimal):
        if value.is_zero() and value.is_signed():
            yield FieldError(place, say("minus_zero", "it is minus zero; leave the sign out"))
            return
        try:
            check_storable(value)
        except TooFine:
            yield FieldError(place, say("too_many_digits", "it has more than 18 digits before or after the point"))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _bad_amounts(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _bad_amounts(inner, f"{place}.{index}")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return to_wire(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")
