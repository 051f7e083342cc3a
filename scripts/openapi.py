"""Prints the description of the API; `scripts/web generate` keeps it and makes the page's client from it."""

from __future__ import annotations

import json
from typing import Any

from api.app import create_app, describe
from core.config import Config


def description() -> dict[str, Any]:
    """The OpenAPI description of the API as it stands in the code."""
    return describe(create_app(Config()))


if __name__ == "__main__":
    print(json.dumps(description(), indent=2, ensure_ascii=False, sort_keys=True))
