"""What a strategy has learned."""

from __future__ import annotations

import json
from dataclasses import asdict

from api import views
from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.common import Number
from api.schemas.learning import ModelAnswer, ModelCard
from core.clock import utc_from_ms
from db.queries import instances, pages
from db.unit_of_work import reading
from domain.learning import card as law
from domain.sentences import words_of

router = new_router("strategies")


@router.get("/api/strategies/{strategy_id}/model")
def get_strategy_model(services: AnyServices, caller: Viewer, strategy_id: Number) -> ModelAnswer:
    """Its model card: champion and challenger, calibration, signals, and why the last proposal was chosen."""
    with reading(services.database) as unit:
        instance = pages.instance(unit, strategy_id, caller.id).instance
        stored = instances.state_of(unit, strategy_id)
    reasons = views.reasons_of(services.kinds, instance)
    name = instance.strategy_type
    read = services.kinds.get(name).card if name in set(services.kinds) else None
    card = None if read is None or stored is None else _card(read(*json.loads(stored)))
    waits_for = "" if card is None else reasons.get(card.waits, "")
    return ModelAnswer(
        strategy_id=strategy_id,
        is_frozen=bool(json.loads(instance.parameters).get("is_frozen", False)),
        waits_for=waits_for,
        waits_for_words=words_of(waits_for),
        card=card,
    )


def _card(card: law.ModelCard) -> ModelCard:
    row = asdict(card)
    if row["choice"] is not None:
        row["choice"]["time"] = utc_from_ms(row["choice"].pop("time_ms"))
    return ModelCard.model_validate(row)
