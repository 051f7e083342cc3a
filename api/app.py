"""The application: every route of `api.routes`, every error as a problem, a guard around it all."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException

from api import errors, routes
from api.guard import Guard
from api.schemas.common import Problem
from api.services import Services, make_services
from core.clock import Clock, system_clock
from core.config import Config

#: The built page, where there is one.
PAGE: Final = Path(__file__).resolve().parent.parent / "web" / "dist"
#: The file whose routes are asked most.
_ASKED_MOST: Final = "strategy"
#: Bytes of a request; the largest parameters are far smaller.
LARGEST_BODY: Final = 128 * 1024


def create_app(config: Config, clock: Clock | None = None, page: Path = PAGE) -> FastAPI:
    """The application for a configuration. Its services are opened and closed with it."""
    services = make_services(config, clock or system_clock())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await services.open()
        yield
        await services.close()

    app = FastAPI(
        title="Ares",
        version=version("ares"),
        summary="A distributed trading platform.",
        description=(
            "Money is decimal text, times are UTC, lists come in pages. Errors are problems (RFC 9457) with a stable "
            "`code`. Requests that change something carry the header `X-Ares-Request: 1`."
        ),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=LARGEST_BODY,
    )
    app.state.services = services
    errors.install(app)
    for router in scan():
        # Side by side, not one inside the other: a request is compared with each of them once.
        app.router.routes.extend(router.routes)
    app.add_api_route("/api/{rest:path}", _nothing_here, methods=["GET"], include_in_schema=False)
    if (page / "index.html").is_file():
        app.frontend("/", directory=page, fallback="index.html")
    app.add_middleware(Guard, settings=config.api, metrics=services.metrics, time=services.clock.machine)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def scan() -> list[APIRouter]:
    """The router of every file in `api.routes`."""
    names = sorted(module.name for module in pkgutil.iter_modules(routes.__path__))
    # Requests are compared with one route after the other, so what is asked most comes first.
    names.sort(key=lambda name: name != _ASKED_MOST)
    return [importlib.import_module(f"{routes.__name__}.{name}").router for name in names]


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, made once: with the shape of problems, and how to sign in."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        parts = schema.setdefault("components", {})
        shapes = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.setdefault("schemas", {}).update(shapes.pop("$defs", {}), Problem=shapes)
        parts["securitySchemes"] = {
            "session": {"type": "apiKey", "in": "cookie", "name": "ares_session"},
        }
        schema["security"] = [{"session": []}]
        app.openapi_schema = schema
    return app.openapi_schema


def services_of(app: FastAPI) -> Services:
    """The services of an application."""
    services: Services = app.state.services
    return services


async def _nothing_here(_: Request, rest: str) -> None:
    del rest
    raise HTTPException(404)
