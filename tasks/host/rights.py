"""What the key of an account may do: looked at before anything is traded with it."""

from __future__ import annotations

from typing import Final

from core.base_exchange import BaseExchange, KeyRefused, TellsRights
from core.clock import utc_from_ms
from db.models import Account
from db.queries import accounts
from domain.errors import Refused
from tasks.wiring import Parts, number_of

VERIFIED: Final = "verified"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"


class CanWithdraw(Refused):
    """This key can withdraw; make one at the venue that can only trade, and enter that."""


class CannotTrade(Refused):
    """This key cannot trade here; allow it at the venue, then check it again."""


class NoConsent(Refused):
    """The venue does not tell what this key may do; consent to that on the account's page, or use another venue."""


async def check_rights(parts: Parts, account: Account, exchange: BaseExchange) -> str:
    """Ask an open exchange what the account's key may do, and write it down; gives the word that was written."""
    found = UNKNOWN
    if isinstance(exchange, TellsRights):
        rights = await exchange.key_rights()
        found = VERIFIED if rights.can_trade and not rights.can_withdraw else REFUSED
    moment = utc_from_ms(parts.clock.machine.now_ms())
    await parts.database.keep(lambda unit: accounts.set_rights(unit, number_of(account.id), found, moment))
    if isinstance(exchange, TellsRights) and found == REFUSED:
        raise CanWithdraw if rights.can_withdraw else CannotTrade
    return found


async def require_rights(parts: Parts, account: Account, exchange: BaseExchange) -> None:
    """Raise unless the account may be traded on: its key is harmless, or a person has agreed not to know."""
    if account.paper or account.rights == VERIFIED:
        return
    if await check_rights(parts, account, exchange) == UNKNOWN and account.rights_consent_at is None:
        raise NoConsent


async def check_account(parts: Parts, account: Account) -> str:
    """The same for an account that nothing trades on now; a key that the venue does not accept is refused too."""
    if account.paper:
        return account.rights
    exchange = parts.exchange_of(account)
    try:
        await exchange.open()
        try:
            return await check_rights(parts, account, exchange)
        finally:
            await exchange.close()
    except (CanWithdraw, CannotTrade):
        return REFUSED
    except KeyRefused:
        moment = utc_from_ms(parts.clock.machine.now_ms())
        await parts.database.keep(lambda unit: accounts.set_rights(unit, number_of(account.id), REFUSED, moment))
        return REFUSED
