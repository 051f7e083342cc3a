"""Accounts at venues. Credentials are encrypted here and can be read only where orders are signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi.concurrency import run_in_threadpool
from pydantic import SecretStr

from api import views
from api.checking import checked_model
from api.cursors import after, unpack
from api.deps import AnyServices, Trader, Viewer
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.router import new_router
from api.schemas.account import (
    Account,
    AccountCreate,
    AccountEdit,
    AccountList,
    PaperSettings,
    VenueSettings,
)
from api.schemas.common import Cursor, Limit, Number
from api.services import Services
from api.venues import PAPER, exchanges
from core.secrets import Place
from db.models import Account as AccountRow
from db.queries import accounts, audit
from db.unit_of_work import UnitOfWork, committed, reading
from domain.sentences import say

router = new_router("accounts")

_HINT = 4


@router.get("/api/accounts")
def list_accounts(services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100) -> AccountList:
    """Your accounts."""
    begin = unpack(cursor, int, (int,)) or 0
    with reading(services.database) as unit:
        mine = [one for one in accounts.list_of_owner(unit, caller.id) if (one.id or 0) > begin]
        page, next_cursor = after(mine, limit, lambda one: [one.id])
        return AccountList(items=[views.account(one) for one in page], next_cursor=next_cursor)


@router.post("/api/accounts", status_code=201)
async def create_account(services: AnyServices, caller: Trader, body: AccountCreate) -> Account:
    """Add an account. A worker then finds out what its key may do; one that can withdraw is refused."""
    settings = _settings(body)
    _check_secrets(services, body.exchange, body.api_key, body.api_secret, body.passphrase)
    made = await run_in_threadpool(_create, services, caller, body, settings)
    if made.has_key:
        services.doorbell.check_account(made.id)
    return made


@router.get("/api/accounts/{account_id}")
def get_account(services: AnyServices, caller: Viewer, account_id: Number) -> Account:
    """One account."""
    with reading(services.database) as unit:
        return views.account(accounts.get(unit, account_id, caller.id))


@router.put("/api/accounts/{account_id}")
async def update_account(services: AnyServices, caller: Trader, account_id: Number, body: AccountEdit) -> Account:
    """Change an account. Key and secret are replaced together; left out, they stay."""
    edited = await run_in_threadpool(_edit, services, caller, account_id, body)
    if body.api_key is not None:
        services.doorbell.check_account(account_id)
    return edited


@router.delete("/api/accounts/{account_id}", status_code=204)
def delete_account(services: AnyServices, caller: Trader, account_id: Number) -> None:
    """Remove an account on which nothing trades; its credentials are destroyed, its history stays."""
    now = services.now()
    with committed(services.database) as unit:
        accounts.remove(unit, account_id, caller.id, now)
        audit.record(unit, audit.Deed(caller.login, "account_delete", {"account": account_id}, caller.id), now)


def _settings(body: AccountCreate) -> str:
    known = exchanges()
    if body.exchange not in known:
        raise BadFields(
            [FieldError("exchange", say("not_one_of", "it is not one of {choices}", choices=", ".join(known)))]
        )
    if not known[body.exchange].paper:
        return checked_model(VenueSettings, body.settings, "settings")
    venue = body.settings.get("venue", "binance_spot")
    if not isinstance(venue, str) or venue not in known or known[venue].market != "spot":
        real = ", ".join(name for name, one in known.items() if one.market == "spot")
        raise BadFields(
            [
                FieldError(
                    "settings.venue",
                    say("paper_needs_spot", "paper money trades on a spot market: it is not one of {real}", real=real),
                )
            ]
        )
    if body.api_key is not None or body.api_secret is not None or body.passphrase is not None:
        raise BadFields([FieldError("api_key", say("paper_has_no_key", "a paper account has no key; leave it out"))])
    return checked_model(PaperSettings, body.settings, "settings")


def _check_secrets(
    services: Services, exchange: str, key: SecretStr | None, secret: SecretStr | None, phrase: SecretStr | None
) -> None:
    errors = []
    if (key is None) != (secret is None):
        missing = "api_secret" if secret is None else "api_key"
        errors.append(FieldError(missing, say("key_and_secret_together", "give key and secret together")))
    if phrase is not None and key is None:
        errors.append(FieldError("api_key", say("together_with_passphrase", "give it together with the passphrase")))
    if key is not None and phrase is None and exchanges()[exchange].needs_passphrase:
        errors.append(
            FieldError(
                "passphrase", say("passphrase_wanted", "{exchange} wants one beside key and secret", exchange=exchange)
            )
        )
    if key is not None and services.sealer is None:
        errors.append(
            FieldError(
                "api_key",
                say("no_encryption_key_here", "this node has no ENCRYPTION_KEY to keep it with; set one and restart"),
            )
        )
    for name, given in (("api_key", key), ("api_secret", secret), ("passphrase", phrase)):
        text = given.get_secret_value() if given is not None else "good"
        if text != text.strip() or not text.replace("\n", "").isprintable():
            errors.append(
                FieldError(
                    name,
                    say(
                        "key_badly_pasted", "it begins or ends with a blank or holds control characters; paste it again"
                    ),
                )
            )
    if errors:
        raise BadFields(errors)


def _create(services: Services, caller: Caller, body: AccountCreate, settings: str) -> Account:
    now = services.now()
    row = AccountRow(
        owner_id=caller.id,
        name=body.name,
        exchange=body.exchange,
        paper=body.exchange == PAPER,
        settings=settings,
        rights_consent_at=now if body.consent_unknown_rights else None,
        created_at=now,
        updated_at=now,
    )
    with committed(services.database) as unit:
        made = accounts.add(unit, row)
        _seal(services, unit, made, body, now)
        content = {
            "account": made.id,
            "name": made.name,
            "exchange": made.exchange,
            "has_key": body.api_key is not None,
        }
        _record(unit, caller, "account_create", content, now)
        return views.account(made)


def _edit(services: Services, caller: Caller, number: int, body: AccountEdit) -> Account:
    now = services.now()
    with committed(services.database) as unit:
        found = accounts.hold(unit, number, caller.id)
        if found.paper and body.api_key is not None:
            raise BadFields(
                [FieldError("api_key", say("paper_has_no_key", "a paper account has no key; leave it out"))]
            )
        _check_secrets(services, found.exchange, body.api_key, body.api_secret, body.passphrase)
        content: dict[str, Any] = {"account": number}
        if body.name is not None:
            content["name"] = {"before": found.name, "after": body.name}
            found.name = body.name
        if body.disabled is not None:
            content["disabled"] = body.disabled
            found.disabled = body.disabled
        if body.consent_unknown_rights is not None:
            content["consent_unknown_rights"] = body.consent_unknown_rights
            found.rights_consent_at = now if body.consent_unknown_rights else None
        found.updated_at = now
        if _seal(services, unit, found, body, now):
            content["key"] = "replaced"
        _record(unit, caller, "account_edit", content, now)
        return views.account(found)


def _seal(
    services: Services, unit: UnitOfWork, row: AccountRow, body: AccountCreate | AccountEdit, now: datetime
) -> bool:
    sealer = services.sealer
    if body.api_key is None or body.api_secret is None or sealer is None or row.id is None:
        return False

    def sealed(column: str, secret: SecretStr) -> bytes:
        return sealer.seal(secret, Place("accounts", row.id or 0, column, row.owner_id))

    phrase = None if body.passphrase is None else sealed("passphrase", body.passphrase)
    key, secret = sealed("api_key", body.api_key), sealed("api_secret", body.api_secret)
    accounts.set_credentials(unit, row.id, row.owner_id, accounts.Ciphertext(key, secret, phrase, sealer.key_id), now)
    plain = body.api_key.get_secret_value()
    # Of a short key the last characters would be half of it.
    row.key_hint = plain[-_HINT:] if len(plain) >= 4 * _HINT and plain[-_HINT:].isalnum() else None
    return True


def _record(unit: UnitOfWork, caller: Caller, action: str, content: Mapping[str, Any], now: datetime) -> None:
    audit.record(unit, audit.Deed(caller.login, action, json.loads(json.dumps(content)), caller.id), now)
