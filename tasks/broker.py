"""The broker's wire for workers: a message that cannot be read is told and dropped, and the worker goes on.

Celery's own reader ends the worker with it, and the next worker with the next; and so it does when Redis answers and
refuses to write, which here is as if it were away.
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ResponseError

log = structlog.get_logger(__name__)
#: What reading nonsense raises. None of it is about the connection.
_NONSENSE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class CarefulChannel(redis.Channel):
    """Takes messages from queues."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except _NONSENSE as error:
            log.warning("message_dropped", reason=f"it is no envelope: {type(error).__name__}")
            return True


class CarefulTransport(redis.Transport):
    """Hands messages to whoever takes them."""

    Channel = CarefulChannel

    connection_errors = (*redis.Transport.connection_errors, ResponseError)

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        except _NONSENSE as error:
            log.warning("message_dropped", queue=queue, reason=f"it is no task: {type(error).__name__}")
            self._forget(message)

    def _forget(self, message: Any) -> None:
        """What is not acknowledged would come again and again."""
        properties = message.get("properties") if isinstance(message, dict) else None
        tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
        for channel in self.channels:
            if isinstance(tag, str) and tag in channel.qos._delivered:
                channel.basic_ack(tag)


def use() -> None:
    """From now on connections to Redis are read with care."""
    TRANSPORT_ALIASES["redis"] = f"{__name__}:{CarefulTransport.__name__}"
