"""Starts the API node: `python main.py`."""

from __future__ import annotations

import sys

import structlog

from api.app import create_app
from api.server import server_of
from core.config import load_config
from core.logs import configure_logs
from db import migrate
from db.database import open_database
from domain.errors import AresError

log = structlog.get_logger(__name__)


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
    log.info("api_starts", host=config.api.host, port=config.api.port, auth=config.api.auth)
    server = server_of(app, config)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
