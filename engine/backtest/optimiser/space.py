"""The search space: which values each parameter may have. All values are exact and listed, so every search ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError

from core.base_strategy import StrategyKind
from domain.errors import Refused
from domain.sentences import say
from engine.backtest.optimiser.instance import SHARE, Instance

#: Values of one parameter.
MOST_VALUES: Final = 100_000


class BadSpace(Refused):
    """The search space cannot be searched."""


@dataclass(frozen=True)
class Dimension:
    """A parameter with more than one value."""

    name: str
    values: tuple[str, ...]
    #: Whether neighbours in the list are neighbours in meaning.
    is_ordered: bool


@dataclass(frozen=True)
class Space:
    """Parameters that vary, in the order given, and those that do not."""

    dimensions: tuple[Dimension, ...]
    fixed: Mapping[str, str]

    @property
    def size(self) -> int:
        """How many parameter sets there are."""
        return prod(len(dimension.values) for dimension in self.dimensions)

    def at(self, number: int) -> dict[str, str]:
        """The parameter set of a number below `size`; the last dimension changes fastest."""
        return self.of(self.places(number))

    def places(self, number: int) -> tuple[int, ...]:
        """The place in each dimension of a number."""
        found = []
        for dimension in reversed(self.dimensions):
            number, place = divmod(number, len(dimension.values))
            found.append(place)
        return tuple(reversed(found))

    def of(self, places: tuple[int, ...]) -> dict[str, str]:
        """The parameter set at places of the dimensions."""
        varied = {one.name: one.values[place] for one, place in zip(self.dimensions, places, strict=True)}
        return {**self.fixed, **varied}


def space_of(kind: StrategyKind, words: Mapping[str, str]) -> Space:
    """The space that words describe: `50`, `10,20,40`, or `5:43:2` with both ends; `BadSpace` names the parameter."""
    return _space_of(words, {}, lambda name, values: _check(kind, name, name, values))


def account_space_of(instances: Sequence[Instance], words: Mapping[str, str]) -> Space:
    """The space of several instances: names are `instance.parameter`, or `instance.quote` for its share of the capital.

    What the words do not name and the instance was given is part of every set, where it is a plain value.
    """
    named = {one.name: one for one in instances}

    def check(name: str, values: tuple[str, ...]) -> None:
        whose, _, parameter = name.partition(".")
        if whose not in named or not parameter:
            known = ", ".join(named)
            raise BadSpace(
                say(
                    "no_parameter_of_instance",
                    "write it as instance.parameter; the instances are {known}.",
                    known=known,
                    field=name,
                )
            )
        if parameter == SHARE:
            _check_share(name, values)
        else:
            _check(named[whose].kind, name, parameter, values)

    given = {
        f"{one.name}.{name}": str(value).lower() if isinstance(value, bool) else str(value)
        for one in instances
        for name, value in one.params.items()
        if isinstance(value, bool | int | float | Decimal | str) and f"{one.name}.{name}" not in words
    }
    return _space_of(words, given, check)


def _space_of(
    words: Mapping[str, str], given: Mapping[str, str], check: Callable[[str, tuple[str, ...]], None]
) -> Space:
    dimensions, fixed = [], dict(given)
    for name, text in words.items():
        values = _values(name, text)
        check(name, values)
        if len(values) == 1:
            fixed[name] = values[0]
        else:
            dimensions.append(Dimension(name, values, all(_number(value) is not None for value in values)))
    if not dimensions:
        raise BadSpace(
            say(
                "nothing_to_try",
                "no parameter has more than one value; give one as from:to:step or with commas.",
                field="space",
            )
        )
    return Space(tuple(dimensions), fixed)


def _values(name: str, text: str) -> tuple[str, ...]:
    if text.count(":") == 2:
        return _range(name, text)
    values = tuple(part.strip() for part in text.split(","))
    if "" in values or len(set(values)) != len(values):
        raise BadSpace(say("empty_or_twice", "{text!r} holds an empty value or one twice.", text=text, field=name))
    return values


def _range(name: str, text: str) -> tuple[str, ...]:
    begin, end, step = (_number(part) for part in text.split(":"))
    if begin is None or end is None or step is None:
        raise BadSpace(say("not_a_range", "{text!r} is not from:to:step in numbers.", text=text, field=name))
    if step <= 0 or end < begin:
        raise BadSpace(
            say(
                "range_goes_nowhere",
                "{text!r} goes nowhere; the step must be above zero and the end not below the start.",
                text=text,
                field=name,
            )
        )
    count = int((end - begin) / step) + 1
    if count > MOST_VALUES:
        raise BadSpace(
            say(
                "too_many_values",
                "{text!r} has {count} values, more than {most}; take a larger step.",
                text=text,
                count=count,
                most=MOST_VALUES,
                field=name,
            )
        )
    return tuple(format(begin + place * step, "f") for place in range(count))


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _check_share(name: str, values: tuple[str, ...]) -> None:
    for value in values:
        amount = _number(value)
        if amount is None or amount <= 0:
            raise BadSpace(
                say(
                    "share_not_above_zero",
                    "{value} cannot be: a share of the capital is an amount above zero.",
                    value=value,
                    field=name,
                )
            )


def _check(kind: StrategyKind, name: str, parameter: str, values: tuple[str, ...]) -> None:
    """Each value by itself; what the values must be together is seen when a set is tried."""
    field = kind.params.model_fields.get(parameter)
    if field is None:
        known = ", ".join(kind.params.model_fields)
        raise BadSpace(
            say(
                "no_parameter_of_kind",
                "{kind} has no such parameter; it has {known}.",
                kind=kind.name,
                known=known,
                field=name,
            )
        )
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
    for value in values:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            why = error.errors(include_input=False, include_url=False)[0]["msg"]
            raise BadSpace(
                say("value_cannot_be", "{value} cannot be: {why}.", value=value, why=why, field=name)
            ) from error
