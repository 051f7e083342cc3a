"""Accounts. Credentials go in and never come out."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints

from api.schemas.common import NAME_PATTERN, Answer, Body, Moment, Page

AccountName = Annotated[str, Field(min_length=1, max_length=100, pattern=NAME_PATTERN, examples=["Paper"])]
#: Keys are printable and hold no blanks; PEM keys have lines.
Secret = Annotated[SecretStr, Field(min_length=4, max_length=2_000, description="Write-only; kept encrypted.")]
Asset = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=r"^[A-Z0-9]+$")]
Funds = Annotated[Decimal, Field(gt=0, lt=Decimal(10) ** 15, max_digits=36, decimal_places=18, allow_inf_nan=False)]


class Account(Answer):
    """An account at a venue."""

    id: int
    name: str
    exchange: str
    feed: str = Field(description="The venue whose market it trades on.", examples=["binance_spot"])
    paper: bool
    has_key: bool
    key_hint: str | None = Field(description="The last four characters of the key.")
    rights: Literal["unknown", "verified", "refused"]
    rights_checked_at: Moment | None
    rights_consent_at: Moment | None
    disabled: bool
    settings: dict[str, Any]
    created_at: Moment
    updated_at: Moment


class AccountList(Page[Account]):
    """Accounts by number."""


class PaperSettings(Body):
    """What a paper account follows and starts with."""

    venue: str = Field("binance_spot", max_length=40, description="The venue whose market it follows.")
    balances: dict[Asset, Funds] = Field({"USDT": Decimal(10_000)}, min_length=1, max_length=50)
    fill_model: Literal["touch", "through", "queue"] = "queue"
    maker_fee_ppm: int = Field(1_000, ge=0, le=100_000)
    taker_fee_ppm: int = Field(1_000, ge=0, le=100_000)
    latency_ms: int = Field(0, ge=0, le=60_000)


class VenueSettings(Body):
    """How a real account is reached."""

    sandbox: bool = False


class AccountCreate(Body):
    """A new account."""

    name: AccountName
    exchange: str = Field(max_length=40, examples=["binance_spot"], description="One of /api/exchanges.")
    api_key: Secret | None = None
    api_secret: Secret | None = None
    passphrase: Secret | None = None
    settings: dict[str, Any] = Field({}, description="Of a paper account: venue, balances, fees. Of others: sandbox.")
    consent_unknown_rights: bool = Field(
        False, description="Trade even if the venue does not tell whether the key can withdraw."
    )


class AccountEdit(Body):
    """Changes of an account; what is left out stays."""

    name: AccountName | None = None
    api_key: Secret | None = None
    api_secret: Secret | None = None
    passphrase: Secret | None = None
    consent_unknown_rights: bool | None = None
    disabled: bool | None = None


class Exchange(Answer):
    """A venue that accounts can be at."""

    name: str
    market: Literal["spot", "futures", "paper"]
    paper: bool
    needs_passphrase: bool
