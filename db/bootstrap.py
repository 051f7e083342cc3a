"""What an empty database begins with: one local user, a paper account, and a grid on BTCUSDT, as designed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from sqlmodel import select

from db.models import Account, StrategyInstance, User
from db.queries import accounts, audit, instances
from db.unit_of_work import UnitOfWork

LOCAL_USER: Final = "local"
PAPER_BALANCES: Final = {"USDT": "10000"}
#: Twenty steps over a wide range, a thousand of the quote asset in all.
GRID: Final = {"lower_price": "30000", "upper_price": "120000", "levels": 20, "total_investment": "1000"}


def is_empty(unit: UnitOfWork) -> bool:
    """Whether nobody uses this database yet."""
    return unit.session.exec(select(User).limit(1)).first() is None


def bootstrap(unit: UnitOfWork, now: datetime) -> StrategyInstance | None:
    """Fill a database without users; None when it has some. Several processes may ask: the login is unique."""
    if not is_empty(unit):
        return None
    user = accounts.add_user(unit, User(login=LOCAL_USER, display_name="Local user", role="admin", created_at=now))
    account = accounts.add(
        unit,
        Account(
            owner_id=_number(user.id),
            name="Paper",
            exchange="paper",
            paper=True,
            settings=json.dumps({"venue": "binance_spot", "balances": PAPER_BALANCES}),
            created_at=now,
            updated_at=now,
        ),
    )
    instance = instances.add(
        unit,
        StrategyInstance(
            owner_id=_number(user.id),
            account_id=_number(account.id),
            name="BTCUSDT grid",
            strategy_type="grid",
            symbol="BTCUSDT",
            kline_interval="1m",
            parameters=json.dumps(GRID),
            desired_state=instances.RUNNING,
            paper=True,
            created_at=now,
            updated_at=now,
        ),
    )
    deed = audit.Deed("system", "bootstrap", {"instance": instance.name}, user.id, instance.id)
    audit.record(unit, deed, now)
    return instance


def _number(value: int | None) -> int:
    assert value is not None  # noqa: S101 - the row has just been written
    return value
