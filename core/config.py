"""Configuration: `config.yaml` for what anyone may read, the environment for secrets and for one machine's wishes.

The environment wins. Names are `ARES_<SECTION>__<FIELD>`, for example `ARES_DATABASE__URL`. No other module reads
the environment. `config.yaml` is looked for in the working directory, or where `ARES_CONFIG` points.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from domain.errors import Refused

CONFIG_VARIABLE = "ARES_CONFIG"


class BadConfig(Refused):
    """The configuration cannot be read as it stands."""


class Section(BaseModel):
    """One concern of the configuration; frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSection(Section):
    """Where orders, fills and the ledger are kept."""

    #: SQLAlchemy address; SQLite is the embedded default, MySQL and MariaDB are for several nodes.
    url: SecretStr = Field(default=SecretStr("sqlite:///.ares/ares.sqlite3"))


class RedisSection(Section):
    """Where leases, live status and events pass through."""

    url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))
    #: Connections one process may hold open; a caller waits when all are busy.
    max_connections: int = Field(default=16, ge=1, le=1000)
    #: Seconds to wait for a connection or an answer.
    timeout_seconds: float = Field(default=2.0, gt=0, le=60)


class SimulatorSection(Section):
    """The simulated exchange that `ares up` starts."""

    #: Port on loopback; 0 takes a free one.
    port: int = Field(default=0, ge=0, le=65535)
    #: Symbols that get a generated market.
    symbols: tuple[str, ...] = Field(default=("BTCUSDT", "ETHUSDT"), min_length=1)
    #: Seed of the generated market: the same seed is the same market.
    seed: int = Field(default=1, ge=0)
    #: How many times faster than real time the market runs.
    speed: int = Field(default=1, ge=1, le=100_000)


class LogSection(Section):
    """What is written to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    style: Literal["console", "json"] = "console"


class Config(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix="ARES_", env_nested_delimiter="__", extra="forbid", frozen=True, yaml_file_encoding="utf-8"
    )

    #: Folder of everything a run leaves behind: pid files, logs, the embedded database.
    home: Path = Path(".ares")
    database: DatabaseSection = DatabaseSection()
    redis: RedisSection = RedisSection()
    simulator: SimulatorSection = SimulatorSection()
    log: LogSection = LogSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        path = Path(os.environ.get(CONFIG_VARIABLE, "config.yaml"))
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=path)


def load_config(**overrides: Any) -> Config:
    """The configuration of this process; `BadConfig` names every wrong key and where it came from."""
    path = os.environ.get(CONFIG_VARIABLE)
    if path and not Path(path).is_file():
        raise BadConfig(f"{CONFIG_VARIABLE} points to {path}, which is not a file; correct or unset it.")
    try:
        return Config(**overrides)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise BadConfig(f"{wrong}. Correct it in {path or 'config.yaml'} or in the environment.") from error
