"""What Prometheus reads of this node."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import Scope

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ["operation", "method", "status"]
        self._requests = Counter("ares_api_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "ares_api_request_seconds",
            "Time to the end of an answer; streams are left out.",
            ["operation"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.streams = Gauge("ares_api_event_streams", "Open event streams.", registry=self.registry)
        self.dropped = Counter(
            "ares_api_event_streams_dropped", "Streams ended because they read too slowly.", registry=self.registry
        )
        self.rings = Counter("ares_api_doorbell_rings", "Doorbells rung.", ["way", "result"], registry=self.registry)
        self.kills = Counter("ares_api_kill_switch_turns", "Turns of a kill switch.", ["on"], registry=self.registry)

    def count_request(self, scope: Scope, status: int, seconds: float) -> None:
        """Take a request down under its operation, never under its address: addresses are without number."""
        route: Any = scope.get("route")
        operation = getattr(route, "name", None) or "none"
        self._requests.labels(operation, scope["method"], str(status)).inc()
        if operation != "stream_events":
            self._seconds.labels(operation).observe(seconds)

    def text(self) -> bytes:
        """Everything, in the format of Prometheus."""
        return generate_latest(self.registry)
