"""Starts the API node: `python main.py`."""

from __future__ import annotations

import sys

import uvicorn

from api.app import create_app
from core.config import load_config
from core.logs import configure_logs
from db import migrate
from db.database import open_database
from domain.errors import AresError


def main() -> int:
    """Serve until told to stop. A configuration that cannot be served is told in one line, with what to do."""
    try:
        config = load_config()
        configure_logs(config.log.level, config.log.style)
        database = open_database(config.database.url.get_secret_value())
        migrate.require_current_schema(database)
        database.dispose()
        app = create_app(config)
    except AresError as error:
        print(f"ares api: {error}", file=sys.stderr)
        return 2
    uvicorn.run(
        app,
        host=config.api.host,
        port=config.api.port,
        # Addresses hold login links; what happens is in the metrics and the audit log.
        access_log=False,
        server_header=False,
        # Who asks is told by the proven proxy, never by headers of the connection.
        proxy_headers=False,
        log_level=config.log.level.lower(),
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
