"""The environment variables of the founding design, in the words of the configuration.

They stand below the variables named `ARES_...`. Time zones are for what people see; nothing is stored by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

#: Variable -> where it belongs.
_PLAIN: Final = {
    "API_PORT": ("api", "port"),
    "MYSQL_TZ": ("api", "time_zone"),
    "ENCRYPTION_KEY": ("security", "encryption_key"),
    "REDIS_SOCKET_TIMEOUT": ("redis", "timeout_seconds"),
    "REDIS_CONNECT_TIMEOUT": ("redis", "connect_timeout_seconds"),
    "DRY_RUN_DB_PATH": ("database", "dry_run_path"),
}


def design_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the variables say, as nested settings; empty ones say nothing."""
    said = {name: value for name, value in environment.items() if value}
    found: dict[str, Any] = {}
    for name, (section, field) in _PLAIN.items():
        if name in said:
            found.setdefault(section, {})[field] = said[name]
    if old := said.get("ENCRYPTION_KEYS_OLD"):
        found.setdefault("security", {})["old_encryption_keys"] = [key.strip() for key in old.split(",")]
    if database := _mysql(said):
        found.setdefault("database", {})["url"] = database
    if redis := _redis(said):
        found.setdefault("redis", {})["url"] = redis
    return found


def _mysql(said: Mapping[str, str]) -> str:
    if not {"MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_HOST"} & said.keys():
        return ""
    host = said.get("MASTER_HOST") or said.get("MYSQL_HOST", "127.0.0.1")
    port = (said.get("MASTER_MYSQL_PORT") if "MASTER_HOST" in said else None) or said.get("MYSQL_PORT", "3306")
    user, password = quote(said.get("MYSQL_USER", "aresbot"), safe=""), quote(said.get("MYSQL_PASSWORD", ""), safe="")
    return f"mysql+pymysql://{user}:{password}@{host}:{port}/{said.get('MYSQL_DATABASE', 'aresbot')}"


def _redis(said: Mapping[str, str]) -> str:
    if not {"REDIS_PASSWORD", "REDIS_HOST"} & said.keys():
        return ""
    host = said.get("MASTER_HOST") or said.get("REDIS_HOST", "127.0.0.1")
    port = (said.get("MASTER_REDIS_PORT") if "MASTER_HOST" in said else None) or said.get("REDIS_PORT", "6379")
    secret = f":{quote(said['REDIS_PASSWORD'], safe='')}@" if "REDIS_PASSWORD" in said else ""
    return f"redis://{secret}{host}:{port}/0"
