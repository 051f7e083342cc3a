"""Structured logs that carry no secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

MASK = "***"
#: Words that, inside a key's name, make its value a secret.
SECRET_WORDS = (
    "secret",
    "password",
    "passphrase",
    "api_key",
    "apikey",
    "token",
    "signature",
    "authorization",
    "listenkey",
)

_ASSIGNMENT = re.compile(r"(?i)\b((?:signature|api_?key|secret|listenkey|token|password)=)[^&\s\"']+")
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]*:)[^@/\s]+@")


def configure_logs(level: str = "INFO", style: Literal["console", "json"] = "console") -> None:
    """Send structured logs to standard error; `json` writes one object per line, times are UTC."""
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: the event with every secret masked, however deep it lies."""
    return {key: redact(value, key) for key, value in event.items()}


def redact(value: Any, name: str = "") -> Any:
    """The value with its secrets masked: by the name it is stored under, and inside text by shape."""
    if _names_a_secret(name) and value is not None:
        return MASK
    if isinstance(value, Mapping):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\1{MASK}@", _ASSIGNMENT.sub(rf"\1{MASK}", value))
    return value


def _names_a_secret(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    return any(word in plain or word in plain.replace("_", "") for word in SECRET_WORDS)
