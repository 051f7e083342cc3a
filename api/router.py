"""What every router has in common."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter

from api.exact_json import ExactRoute

_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How errors of these statuses are described."""
    return {status: {"description": _WORDS[status], "content": _PROBLEM} for status in statuses}


_WORDS: Final = {
    400: "The request cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "There is no such thing, or it is somebody else's",
    405: "Another method is needed",
    409: "It does not fit what is there",
    413: "Too large",
    421: "Not an address of ours",
    422: "Some fields cannot be taken as they are",
    429: "Too much in a short time",
    500: "Something here is broken",
    503: "Something this needs cannot be reached",
}
ALWAYS: Final = (400, 401, 403, 404, 409, 413, 421, 422, 429, 500, 503)


def new_router(tag: str) -> APIRouter:
    """A router whose bodies are read exactly and whose errors are described."""
    return APIRouter(
        tags=[tag],
        route_class=ExactRoute,
        responses=problems(*ALWAYS),
        generate_unique_id_function=lambda route: route.name,
    )
