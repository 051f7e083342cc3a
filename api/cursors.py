"""Cursors: where a page begins, packed so that nobody builds on what is inside."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from api.errors import BadFields, FieldError
from domain.sentences import say

Key = TypeVar("Key")


def pack(key: Sequence[Any]) -> str:
    """A key as text."""
    parts = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def unpack(cursor: str | None, build: Callable[..., Key], kinds: Sequence[type]) -> Key | None:
    """The key in a cursor, its parts of these kinds; `BadFields` when it is not one of ours."""
    if not cursor:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return build(*(_part(kind, part) for kind, part in zip(kinds, parts, strict=True)))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadFields([FieldError("cursor", say("not_a_cursor", "it is not the next_cursor of a page"))]) from error


def after(items: Sequence[Any], limit: int, key: Callable[[Any], Sequence[Any]]) -> tuple[list[Any], str | None]:
    """The page and its `next_cursor`, from one item more than the page may hold."""
    page = list(items[:limit])
    return page, pack(key(page[-1])) if len(items) > limit else None


def _part(kind: type, part: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not isinstance(part, kind) or isinstance(part, bool):
        raise ValueError("it is of another kind")
    if kind is int and not -(2**63) <= cast("int", part) < 2**63:
        raise ValueError("it is too large")
    return part
