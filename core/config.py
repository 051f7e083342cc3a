"""Configuration: `config.yaml` for what anyone may read, the environment for secrets and for one machine's wishes.

The environment wins. Names are `ARES_<SECTION>__<FIELD>`, for example `ARES_DATABASE__URL`; those of the design, such
as `MYSQL_PASSWORD`, are understood too. No other module reads the environment. `config.yaml` is looked for in the
working directory, or where `ARES_CONFIG` points.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from core.design_environment import design_settings
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
    #: A SQLite file of their own for dry runs and backtests; empty keeps them, marked, in the same database.
    dry_run_path: str = ""


class RedisSection(Section):
    """Where leases, live status and events pass through."""

    url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))
    #: Connections one process may hold open; a caller waits when all are busy.
    max_connections: int = Field(default=16, ge=1, le=1000)
    #: Seconds to wait for a connection or an answer.
    timeout_seconds: float = Field(default=2.0, gt=0, le=60)
    #: Seconds to wait until the server has taken a connection.
    connect_timeout_seconds: float = Field(default=2.0, gt=0, le=60)


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


class VenueSection(Section):
    """Where a venue is reached, when it is not at its own addresses."""

    rest_url: str = ""
    stream_url: str = ""
    sandbox: bool = False


class WorkerSection(Section):
    """A node that trades."""

    #: What it is called; empty makes a name of the host and chance. A process started again is another worker.
    id: str = Field(default="", max_length=100, pattern=r"^[A-Za-z0-9_.-]*$")
    #: How much it takes on compared with others: twice the capacity is twice the accounts.
    capacity: int = Field(default=100, ge=1, le=1_000_000)
    #: What it offers; an account that asks for a tag runs only where it is offered.
    tags: tuple[str, ...] = ()
    #: Strategies that it runs at most.
    most_strategies: int = Field(default=20_000, ge=1)
    #: Mebibytes of memory beyond which it hands everything over and ends, to be started anew; 0 is without a bound.
    most_memory_mb: int = Field(default=0, ge=0, le=10_000_000)
    #: A worker that has just begun is not ended for its memory: the one after it would take as much.
    memory_rest_seconds: float = Field(default=600.0, ge=0, le=86_400)
    # Seconds. A lease runs out so long after it was last renewed; nothing is sent within the margin before.
    lease_seconds: float = Field(default=10.0, gt=0, le=120)
    heartbeat_seconds: float = Field(default=3.0, gt=0, le=60)
    margin_seconds: float = Field(default=1.5, gt=0, le=60)
    #: A worker that has said nothing for so long is no member any more.
    member_seconds: float = Field(default=6.0, gt=0, le=120)
    reconcile_seconds: float = Field(default=1.0, gt=0, le=60)
    #: Members must have been the same for so long before anything is moved among the living.
    stability_seconds: float = Field(default=5.0, ge=0, le=600)
    #: To a member that fell silent and came back nothing is moved for so long: what freezes once may freeze again.
    return_seconds: float = Field(default=60.0, ge=0, le=3_600)
    #: What nobody has claimed for so long anyone may claim.
    orphan_seconds: float = Field(default=4.0, ge=0, le=600)
    #: Strategies handed over in a second at most.
    handovers_per_second: int = Field(default=300, ge=1)
    #: How often desired states are read from the database, should no signal come.
    stop_poll_seconds: float = Field(default=1.0, gt=0, le=60)
    #: How long after its signed window an order that the venue denies may still turn up there; it locks its slot only.
    late_orders_seconds: float = Field(default=55.0, ge=0, le=600)
    #: Between two comparisons of everything with the venue, when nothing is wrong.
    sweep_seconds: float = Field(default=60.0, gt=0, le=3_600)
    #: A piece of a backtest or an optimisation of which nothing was heard for so long is taken up by others.
    claim_seconds: float = Field(default=30.0, ge=1, le=3_600)
    #: Quote asset -> what must have been traded of a symbol in a day for copies of it to be entered; exits always are.
    copy_least_volume: dict[str, Decimal] = {}
    #: Workers behind one address share the venue's budget; those of another address get a name of their own.
    egress: str = "default"
    #: Loopback port of metrics, health and the kill switch; 0 takes a free one.
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535)


class ApiSection(Section):
    """The node that serves people."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    #: "local" signs the one local user in by a link and listens on loopback only; "proxy" believes a sign-in proxy.
    auth: Literal["local", "proxy"] = "local"
    #: What the proxy sends with every request to show that it is the proxy; 32 characters or more.
    proxy_secret: SecretStr | None = None
    #: The address people type. Requests for any other host are refused.
    public_url: str = ""
    #: Logins that are administrators from their first sign-in on, and what everybody else becomes.
    admins: tuple[str, ...] = ()
    first_role: Literal["viewer", "trader"] = "trader"
    session_hours: int = Field(default=12, ge=1, le=720)
    #: From one address, and of one user.
    logins_per_minute: int = Field(default=10, ge=1, le=10_000)
    changes_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    #: What people see times in; they are stored in UTC.
    time_zone: str = "UTC"


class SecuritySection(Section):
    """Keys that encrypt credentials, each 64 hexadecimal digits."""

    #: The one that everything new is encrypted with; without one no credentials can be kept.
    encryption_key: SecretStr | None = None
    #: Those that something may still be encrypted with.
    old_encryption_keys: tuple[SecretStr, ...] = ()


class LogSection(Section):
    """What is written to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    style: Literal["console", "json"] = "console"


class Config(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix="ARES_", env_nested_delimiter="__", extra="forbid", frozen=True, yaml_file_encoding="utf-8",
        env_ignore_empty=True,  # compose passes on what nobody has set as nothing
    )  # fmt: skip

    #: Folder of everything a run leaves behind: pid files, logs, the embedded database.
    home: Path = Path(".ares")
    database: DatabaseSection = DatabaseSection()
    redis: RedisSection = RedisSection()
    simulator: SimulatorSection = SimulatorSection()
    #: This installation's number in the names of its orders: two that trade on one account need two.
    deployment: int = Field(default=1, ge=0, le=65_535)
    #: Name of a venue -> where it is reached.
    venues: dict[str, VenueSection] = {}
    worker: WorkerSection = WorkerSection()
    api: ApiSection = ApiSection()
    security: SecuritySection = SecuritySection()
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
        """Arguments first, then the environment in our words, then in those of the design, then the file."""
        del dotenv_settings, file_secret_settings
        path = Path(os.environ.get(CONFIG_VARIABLE, "config.yaml"))
        design = InitSettingsSource(settings_cls, design_settings(os.environ))
        return init_settings, env_settings, design, YamlConfigSettingsSource(settings_cls, yaml_file=path)


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
