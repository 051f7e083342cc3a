"""An edit before it is made: what it would do to the orders."""

from __future__ import annotations

from decimal import Decimal

from fastapi.concurrency import run_in_threadpool

from api import views
from api.checking import checked_limits, checked_parameters, kind_named
from api.deps import AnyServices, Viewer
from api.market import instrument_of
from api.preview import Market, NoPrice, preview
from api.router import new_router
from api.schemas.common import Number
from api.schemas.strategy import Preview, StrategyEdit
from db.queries import pages
from db.queries.instances import EditedMeanwhile
from db.unit_of_work import reading
from domain.sentences import say

router = new_router("strategies")


@router.post("/api/strategies/{strategy_id}/preview")
async def preview_strategy(services: AnyServices, caller: Viewer, strategy_id: Number, body: StrategyEdit) -> Preview:
    """Which orders an edit would keep, cancel and place. Nothing is changed."""

    def read() -> pages.Listed:
        with reading(services.database) as unit:
            return pages.instance(unit, strategy_id, caller.id)

    instance, account = await run_in_threadpool(read)
    if instance.revision != body.revision:
        raise EditedMeanwhile(
            say(
                "previewed_another_revision",
                "it is at revision {revision}, and you looked at {given}.",
                revision=instance.revision,
                given=body.revision,
            )
        )
    kind = kind_named(services.kinds, instance.strategy_type)
    parameters = instance.parameters if body.parameters is None else checked_parameters(kind, body.parameters)
    if body.limits is not None:
        checked_limits(body.limits)
    feed = views.feed_of(account)
    live, _ = await services.live.of_many_if_known([strategy_id])
    status = live.get(strategy_id)
    price = Decimal(status.current_price) if status is not None and status.current_price else None
    price = price or await services.market.last_price(feed, instance.symbol, instance.kline_interval)
    instrument = await services.market.instrument(feed, instance.symbol) or instrument_of(instance)
    if price is None or instrument is None:
        raise NoPrice
    market = Market(instrument, price, services.clock.machine.now_ms())

    def work_out() -> Preview:
        with reading(services.database) as unit:
            return preview(unit, instance, kind, parameters, market)

    return await run_in_threadpool(work_out)
