"""What this API can do: for programs as OpenAPI, for people as a page without scripts."""

from __future__ import annotations

import html
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse

from api.deps import Viewer
from api.router import new_router

router = new_router("description")

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c2430}}
h2{{margin-top:2rem;border-bottom:1px solid #ccd;text-transform:capitalize}}code{{background:#eef;padding:0 .25rem}}
dt{{margin-top:.8rem}}dd{{margin:0 0 0 1rem}}b{{display:inline-block;min-width:4rem}}</style>
<h1>{title}</h1><p>{description}</p><p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>{sections}</html>"""


@router.get("/openapi.json", include_in_schema=False)
async def get_openapi(caller: Viewer, request: Request) -> JSONResponse:
    """The OpenAPI description."""
    del caller
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def get_docs(caller: Viewer, request: Request) -> HTMLResponse:
    """The same as a page."""
    del caller
    schema = request.app.openapi()
    return HTMLResponse(
        _PAGE.format(
            title=html.escape(schema["info"]["title"]),
            description=html.escape(schema["info"]["description"]),
            sections="".join(_sections(schema)),
        )
    )


def _sections(schema: dict[str, Any]) -> list[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_entry(path, method, operation))
    return [f"<h2>{html.escape(tag)}</h2><dl>{''.join(entries)}</dl>" for tag, entries in sorted(by_tag.items())]


def _entry(path: str, method: str, operation: dict[str, Any]) -> str:
    names = ", ".join(f"<code>{html.escape(one['name'])}</code>" for one in operation.get("parameters", []))
    text = html.escape(operation.get("description", ""))
    return (
        f"<dt><b>{method.upper()}</b> <code>{html.escape(path)}</code> <i>{operation['operationId']}</i></dt>"
        f"<dd>{text}{f' Parameters: {names}.' if names else ''}</dd>"
    )
