"""Moving every credential to the newest encryption key: in small steps, so that it may end anywhere and go on later."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import Engine

from core.secrets import Opener, Place, Sealer
from db.models import Account
from db.queries import accounts
from db.unit_of_work import committed

#: Accounts of one transaction.
STEP: Final = 100


def rotate_credentials(engine: Engine, opener: Opener, sealer: Sealer, now: datetime) -> int:
    """Encrypt what lies under other keys again under the sealer's; gives how many accounts. Repeating it is harmless.

    The opener must know the old keys: `UnknownKey` says which one it lacks, and what was moved before stays moved.
    """
    moved = 0
    while step := _step(engine, opener, sealer, now):
        moved += step
    return moved


def place_of(account: Account, column: str) -> Place:
    """Where a credential of an account belongs."""
    assert account.id is not None  # noqa: S101 - the row has been written
    return Place("accounts", account.id, column, account.owner_id)


def _step(engine: Engine, opener: Opener, sealer: Sealer, now: datetime) -> int:
    with committed(engine) as unit:
        found = accounts.under_other_keys(unit, sealer.key_id, STEP)
        for account in found:
            _move(account, opener, sealer)
            account.updated_at = now
    return len(found)


def _move(account: Account, opener: Opener, sealer: Sealer) -> None:
    assert account.key_id is not None  # noqa: S101 - chosen by it
    # All three are read before one is written: an account is under one key, never under two.
    plain: dict[str, SecretStr] = {}
    for column in accounts.SECRET_COLUMNS:
        sealed = getattr(account, column)
        if sealed is not None:
            plain[column] = opener.open(sealed, account.key_id, place_of(account, column))
    for column, secret in plain.items():
        setattr(account, column, sealer.seal(secret, place_of(account, column)))
    account.key_id = sealer.key_id
