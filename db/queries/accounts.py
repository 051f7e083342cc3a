"""Users and their accounts at venues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from db.models import Account, FollowRelationship, Master, StrategyInstance, User
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

#: Columns that hold what `core.secrets` encrypted.
SECRET_COLUMNS: Final = ("api_key", "api_secret", "passphrase")


class InUse(Refused):
    """Strategies trade on this account, or it copies or is copied; remove those first."""


class Ciphertext(NamedTuple):
    """Credentials as `core.secrets` encrypted them."""

    api_key: bytes
    api_secret: bytes
    passphrase: bytes | None
    #: Which encryption key they were encrypted with.
    key_id: str


def user_named(unit: UnitOfWork, login: str) -> User | None:
    """The user whom the sign-in proxy calls so."""
    return unit.session.exec(select(User).where(col(User.login) == login)).first()


def add_user(unit: UnitOfWork, user: User) -> User:
    """Keep a new user, with a number."""
    unit.session.add(user)
    unit.session.flush()
    return user


def add(unit: UnitOfWork, account: Account) -> Account:
    """Keep a new account, with its number: encryption is bound to it, so credentials come after."""
    unit.session.add(account)
    unit.session.flush()
    return account


def get(unit: UnitOfWork, account: int, owner: int) -> Account:
    """An account of an owner, or `NoSuchRow`."""
    found = unit.session.get(Account, account)
    if found is None or found.owner_id != owner or found.removed_at is not None:
        raise NoSuchRow(say("no_account_of_yours", "you have no account {account}.", account=account))
    return found


def hold(unit: UnitOfWork, account: int, owner: int) -> Account:
    """The same, its row locked until the unit of work ends."""
    unit.session.get(Account, account, with_for_update=True)
    return get(unit, account, owner)


def remove(unit: UnitOfWork, account: int, owner: int, now: datetime) -> None:
    """Take an account out of sight and destroy its credentials; `InUse` while a strategy trades on it."""
    found = hold(unit, account, owner)
    living = select(StrategyInstance).where(
        col(StrategyInstance.account_id) == account, col(StrategyInstance.removed_at).is_(None)
    )
    following = select(FollowRelationship).where(
        col(FollowRelationship.account_id) == account, col(FollowRelationship.live_master_id).is_not(None)
    )
    followed = select(Master).where(col(Master.account_id) == account, col(Master.removed_at).is_(None))
    for using in (living, following, followed):
        if unit.session.exec(using.limit(1)).first() is not None:
            raise InUse
    found.api_key = found.api_secret = found.passphrase = found.key_id = found.key_hint = None
    found.name = f"#{account} {found.name}"[:100]
    found.removed_at = found.updated_at = now
    unit.session.flush()


def list_of_owner(unit: UnitOfWork, owner: int) -> Sequence[Account]:
    """An owner's accounts by number."""
    chosen = select(Account).where(col(Account.owner_id) == owner, col(Account.removed_at).is_(None))
    return unit.session.exec(chosen.order_by(col(Account.id))).all()


def set_credentials(unit: UnitOfWork, account: int, owner: int, secret: Ciphertext, now: datetime) -> Account:
    """Replace the credentials; what the new key may do is not known until a worker has looked."""
    found = get(unit, account, owner)
    found.api_key, found.api_secret, found.passphrase, found.key_id = secret
    found.rights, found.rights_checked_at, found.updated_at = "unknown", None, now
    unit.session.flush()
    return found


def set_rights(unit: UnitOfWork, account: int, rights: str, now: datetime) -> None:
    """Record what a worker found the key may do: "verified", "unknown" or "refused"."""
    found = unit.session.get(Account, account)
    if found is None:
        raise NoSuchRow(say("no_account", "there is no account {account}.", account=account))
    found.rights, found.rights_checked_at = rights, now
    unit.session.flush()


def under_other_keys(unit: UnitOfWork, key_id: str, limit: int) -> Sequence[Account]:
    """Some accounts whose credentials are not under this encryption key, locked until the unit of work ends."""
    chosen = select(Account).where(col(Account.key_id).is_not(None), col(Account.key_id) != key_id)
    return unit.session.exec(chosen.order_by(col(Account.id)).limit(limit).with_for_update()).all()
