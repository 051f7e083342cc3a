"""How the application is served, wherever it is."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from core.config import Config


def server_of(app: FastAPI, config: Config) -> uvicorn.Server:
    """The HTTP server of an application."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=config.api.host,
            port=config.api.port,
            # Addresses hold login links; what happens is in the metrics and the audit log.
            access_log=False,
            server_header=False,
            # Who asks is told by the proven proxy, never by headers of the connection.
            proxy_headers=False,
            log_level="warning" if config.log.level == "INFO" else config.log.level.lower(),
            # Event streams never end by themselves.
            timeout_graceful_shutdown=2,
        )
    )
