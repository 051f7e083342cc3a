"""Errors as RFC 9457 problems: a stable code, what was wrong, what to do next, and which fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from db.queries.accounts import InUse
from db.queries.commands import OtherCommand
from db.queries.following import FollowsAlready, StillFollowing
from db.queries.histories import HistoryInUse
from db.queries.imports import NotReceiving, TooManyImports
from db.queries.instances import EditedMeanwhile, NoSuchRow, StillWorking
from db.queries.masters import Ended, StillFollowed
from db.queries.people import LastAdministrator
from db.queries.results import NotStarted
from db.queries.runs import TooManyRuns
from db.queries.sessions import LinkSpent
from db.unit_of_work import AlreadyThere
from domain.errors import AresError, Broken, Refused, Transient, Unknown
from domain.sentences import Sentence, say, words_of

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
#: Begins the codes of what the schema itself refuses.
INPUT: Final = "input_"


class FieldError(NamedTuple):
    """One field and why it was refused."""

    field: str
    reason: str


class BadFields(Refused):
    """Some fields cannot be taken as they are; correct them and send the request again."""

    def __init__(self, errors: Iterable[FieldError], message: str | None = None) -> None:
        super().__init__(message)
        self.errors = list(errors)


class NotSignedIn(Refused):
    """You are not signed in; open the link that `ares login` prints, or sign in at the front door."""


class NotAllowed(Refused):
    """Your role may not do this; ask an administrator."""


class NotFromOurPage(Refused):
    """This change did not come from the dashboard; send the header X-Ares-Request: 1 from the same address."""


class WrongHost(Refused):
    """This address is not one of ours; use the address that `ares up` printed, or set api.public_url."""


class TooMany(Refused):
    """Too many requests in a short time; wait a moment and try again."""


class LiveUnavailable(Transient):
    """What strategies do now is not known, because Redis cannot be reached; they go on, and commands are kept."""


#: The nearest class of an error decides.
_STATUS: Final[Mapping[type[AresError], int]] = {
    NotSignedIn: 401,
    LinkSpent: 401,
    NotAllowed: 403,
    NotFromOurPage: 403,
    NoSuchRow: 404,
    EditedMeanwhile: 409,
    StillWorking: 409,
    OtherCommand: 409,
    AlreadyThere: 409,
    InUse: 409,
    LastAdministrator: 409,
    NotStarted: 409,
    Ended: 409,
    StillFollowed: 409,
    StillFollowing: 409,
    FollowsAlready: 409,
    TooManyRuns: 409,
    TooManyImports: 409,
    NotReceiving: 409,
    HistoryInUse: 409,
    WrongHost: 421,
    TooMany: 429,
    Refused: 422,
    Transient: 503,
    Unknown: 503,
    Broken: 500,
    AresError: 500,
}
_HTTP_CODES: Final = {
    400: say("bad_request", "The request cannot be read."),
    404: say("no_such_address", "There is nothing at this address; /openapi.json lists what there is."),
    405: say("method_not_allowed", "This address does not take this method; /openapi.json lists what it takes."),
    413: say("too_large", "The request is too large; send less at once."),
    415: say("not_json", "Send JSON with the header Content-Type: application/json."),
}
_NEXT_STEPS: Final = {
    401: "Sign in.",
    403: "Ask an administrator.",
    404: "Look at the list again.",
    409: "Read it again and repeat the change.",
    422: "Correct the fields and send the request again.",
    429: "Wait a moment and try again.",
    500: "Tell the operator the request id.",
    503: "Try again in a moment.",
}


def problem(status: int, code: str, detail: str, errors: Iterable[FieldError] = ()) -> JSONResponse:
    """An error as it is sent."""
    _, _, advice = detail.partition("; ")
    body = {
        "type": "about:blank",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "next_step": advice[:1].upper() + advice[1:] if advice else _NEXT_STEPS.get(status, "Try something else."),
        "words": words_of(detail),
        "errors": [_told(one) for one in errors],
    }
    headers = {"Retry-After": "1"} if status in {429, 503} else None
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def _told(one: FieldError) -> dict[str, Any]:
    reason = one.reason.alone if isinstance(one.reason, Sentence) else one.reason
    return {"field": one.field, "reason": reason, "words": words_of(reason)}


def of_error(error: AresError) -> JSONResponse:
    """The problem that an error of the house is."""
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    if status == 500:
        log.error("request_failed", code=error.code, exc_info=error)
        return problem(
            status,
            error.code,
            say("node_is_broken", "Something in this node is broken; nothing of the request was kept."),
        )
    errors = error.errors if isinstance(error, BadFields) else ()
    return problem(status, error.code, _sentence(str(error)), errors)


def of_exception(error: Exception) -> JSONResponse:
    """The problem of what nobody foresaw: nothing of it is told but that it happened."""
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    return problem(
        500,
        "internal_error",
        say("node_went_wrong", "Something in this node went wrong; the operator finds it in the log."),
    )


def fields_of(error: ValidationError | RequestValidationError, prefix: str = "") -> list[FieldError]:
    """Which fields, and why, without what was sent: it may be a secret."""
    return [FieldError(_place(one["loc"], prefix), _reason(one)) for one in error.errors()]


def install(app: FastAPI) -> None:
    """Answer every error as a problem."""

    async def house(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, AresError)  # noqa: S101 - registered for it
        return of_error(error)

    async def fields(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        return of_error(BadFields(fields_of(error)))

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        detail = _HTTP_CODES.get(error.status_code) or say("http_error", "{detail}", detail=error.detail)
        answer = problem(error.status_code, detail.code, detail)
        answer.headers.update(error.headers or {})
        return answer

    async def other(_: Request, error: Exception) -> JSONResponse:
        return of_exception(error)

    app.add_exception_handler(AresError, house)
    app.add_exception_handler(RequestValidationError, fields)
    app.add_exception_handler(ResponseValidationError, other)
    app.add_exception_handler(HTTPException, http)


def _place(location: tuple[int | str, ...], prefix: str) -> str:
    parts = [str(part) for part in location]
    # Where in the request it stands says nothing to a person, except for the body as a whole.
    if not prefix and parts[0] in {"body", "query", "path", "header", "cookie"} and len(parts) > 1:
        parts = parts[1:]
    return ".".join([prefix, *parts] if prefix else parts)[:200]


def _reason(error: Any) -> str:
    """Why a field was refused; what the schema itself says has its own code after `INPUT`, and its bounds."""
    context = error.get("ctx") or {}
    if error["type"] == "json_invalid":
        return say("body_is_no_json", "the body is not JSON: {error}", error=context.get("error", ""))
    if error["type"] == "missing":
        return say("is_missing", "it is missing")
    if error["type"] == "extra_forbidden":
        return say("no_such_field", "there is no such field")
    if isinstance(ours := str(context.get("error", "")), Sentence):
        return ours
    words = str(error["msg"]).removeprefix("Value error, ")
    return Sentence(words, INPUT + error["type"], {name: str(value) for name, value in context.items()})


def _sentence(text: str) -> str:
    return text.capitalised() if isinstance(text, Sentence) else text[:1].upper() + text[1:]
