"""Kinds of strategies, and the form of the risk limits."""

from __future__ import annotations

from typing import Any

from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.platform import Kind
from core.risk_limits import Limits

router = new_router("strategies")


@router.get("/api/strategy-kinds")
def list_strategy_kinds(services: AnyServices, caller: Viewer) -> list[Kind]:
    """Every kind, with the JSON Schema of its parameters."""
    del caller
    kinds = [services.kinds.get(name) for name in services.kinds]
    return [
        Kind.model_validate(
            {
                "name": kind.name,
                "title": kind.title,
                "summary": kind.summary,
                "schema": kind.schema(),
                "learns": kind.card is not None,
                "reasons": {str(code): words for code, words in kind.reasons.items()},
            }
        )
        for kind in kinds
    ]


@router.get("/api/risk-limits/schema")
def get_risk_limits_schema(caller: Viewer) -> dict[str, Any]:
    """JSON Schema of a strategy's limits."""
    del caller
    return Limits.model_json_schema()
