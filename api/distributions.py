"""How long copying took and what it cost, as distributions of the newest rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any

from api.schemas.copy_record import LatencyDistribution, SlippageDistribution, TradeLogStats
from db.queries import copy_log
from db.queries.copy_log import Counts, Timing
from domain.money import to_wire


def stats(counts: Counts, timings: Sequence[Timing]) -> TradeLogStats:
    """Counts of everything, distributions of a sample."""
    done = {status: counts.by_status.get(status, 0) for status in copy_log.STATUSES}
    good, bad = done[copy_log.SUCCESS], done[copy_log.FAILED]
    return TradeLogStats(
        total_trades=good + bad + done[copy_log.PENDING],
        successful_trades=good,
        failed_trades=bad,
        pending_trades=done[copy_log.PENDING],
        skipped_signals=done[copy_log.SKIPPED],
        coalesced_signals=done[copy_log.COALESCED],
        success_rate=round(100 * good / (good + bad), 2) if good + bad else 0.0,
        average_execution_time_ms=round(counts.total_ms / counts.timed, 2) if counts.timed else None,
        reasons=counts.by_reason,
        sample=copy_log.SAMPLE,
        signal_to_received=_latency((one.signal_at, one.received_at) for one in timings),
        received_to_sent=_latency((one.received_at, one.sent_at) for one in timings),
        sent_to_acknowledged=_latency((one.sent_at, one.acknowledged_at) for one in timings),
        signal_to_acknowledged=_latency((one.signal_at, one.acknowledged_at) for one in timings),
        slippage=_slippage([one.slippage for one in timings if one.slippage is not None]),
    )


def quantile(ordered: Sequence[Any], share: float) -> Any:
    """The value that so large a share of them does not exceed: one of them, never something in between."""
    return ordered[max(ceil(share * len(ordered)) - 1, 0)]


def _latency(pairs: Iterable[tuple[datetime | None, datetime | None]]) -> LatencyDistribution:
    times = sorted(
        (end - begin).total_seconds() * 1000 for begin, end in pairs if begin is not None and end is not None
    )
    if not times:
        return LatencyDistribution(count=0, p50=None, p90=None, p99=None, largest=None)
    p50, p90, p99 = (round(quantile(times, share), 3) for share in (0.5, 0.9, 0.99))
    return LatencyDistribution(count=len(times), p50=p50, p90=p90, p99=p99, largest=round(times[-1], 3))


def _slippage(found: list[Decimal]) -> SlippageDistribution:
    if not found:
        return SlippageDistribution(count=0, mean=None, p50=None, p90=None, p99=None, largest=None)
    found.sort()
    p50, p90, p99 = (to_wire(quantile(found, share)) for share in (0.5, 0.9, 0.99))
    mean = to_wire(round(sum(found, Decimal(0)) / len(found), 12))
    return SlippageDistribution(count=len(found), mean=mean, p50=p50, p90=p90, p99=p99, largest=to_wire(found[-1]))
