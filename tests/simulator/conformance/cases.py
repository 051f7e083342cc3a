"""Requests as schemathesis draws them from the description: raw, with plausible values, or small and disturbed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

from tests.simulator.conformance.description import PLAUSIBLE, TEMPLATES

Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]

SHAPES: Final = ("raw", "plausible", "small", "small")
MODES: Final = (GenerationMode.POSITIVE,) * 3 + (GenerationMode.NEGATIVE,)
KEEP_RANDOM: Final = 8
"""One in so many values stays random where a plausible one is known."""


def cases(operation: Operation) -> st.SearchStrategy[AnyCase]:
    """Requests of an operation, valid or not."""
    # Made once: to read the description again for every request takes longer than to draw it.
    drawn = {mode: operation.as_strategy(generation_mode=mode) for mode in MODES}
    return _cases(operation, drawn)


@st.composite
def _cases(
    draw: st.DrawFn, operation: Operation, drawn_by: Mapping[GenerationMode, st.SearchStrategy[AnyCase]]
) -> AnyCase:
    case: AnyCase = draw(drawn_by[draw(st.sampled_from(MODES))])
    case.headers.pop("X-MBX-APIKEY", None)
    shape = draw(st.sampled_from(SHAPES))
    if shape == "raw":
        return case
    in_body = bool(operation.body) and isinstance(case.body, dict)
    drawn = case.body if in_body else case.query
    fields = _made_plausible(draw, drawn if isinstance(drawn, dict) else {})
    if shape == "small":
        disturbing = draw(st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)) if fields else []
        fields = _small(draw, operation) | {name: fields[name] for name in disturbing}
    if in_body:
        case.body = fields
    else:
        case.query = fields
    return case


def _made_plausible(draw: st.DrawFn, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: draw(st.sampled_from(PLAUSIBLE[name]))
        if name in PLAUSIBLE and draw(st.integers(1, KEEP_RANDOM)) < KEEP_RANDOM
        else value
        for name, value in values.items()
    }


def _small(draw: st.DrawFn, operation: Operation) -> dict[str, Any]:
    """Only what the operation needs. A timestamp, where one is wanted, is set while signing."""
    definition = operation.definition.raw
    fields: dict[str, Any]
    if templates := TEMPLATES.get(operation.label):
        fields = dict(draw(st.sampled_from(templates)))
    else:
        needed = sorted(item["name"] for item in definition.get("parameters", ()) if item.get("required"))
        fields = {name: draw(st.sampled_from(PLAUSIBLE.get(name, ("1",)))) for name in needed}
    return fields | ({"timestamp": 0} if definition.get("security") else {})
