from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

import strategies
from core.base_journal import RiskMetrics, Stored, StoredState
from core.base_strategy import STRATEGIES
from core.clock import SystemTime
from db.bootstrap import GRID, bootstrap
from db.journal import GroupCommitJournal
from db.models import Account, Command, StrategyInstance
from db.queries import accounts, audit, commands, instances, results, trading
from db.unit_of_work import UnitOfWork
from domain.client_order_id import OrderKey, encode
from domain.errors import Refused
from domain.ledger import cash
from domain.order import CANCELLED, SELL
from tests.contract.journal_contract import entry_of, fill, filled_step, order, step
from tests.journal_database import NOW, address
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
LATER = datetime(2026, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def new_instance(name: str = "new", account: int = 1) -> StrategyInstance:
    return StrategyInstance(
        owner_id=1,
        account_id=account,
        name=name,
        strategy_type="grid",
        symbol="BTCUSDT",
        kline_interval="1m",
        parameters="{}",
        desired_state=instances.STOPPED,
        paper=False,
        created_at=LATER,
        updated_at=LATER,
    )


def command(key: str = "k", kind: str = "stop", instance: int = 1) -> Command:
    soon = LATER + timedelta(seconds=10)
    return Command(
        strategy_instance_id=instance,
        owner_id=1,
        request_key=key,
        kind=kind,
        sequence=0,
        created_at=LATER,
        expires_at=soon,
    )


def test_a_new_instance_gets_a_number_and_is_on_paper_as_its_account_is(unit: UnitOfWork) -> None:
    made = instances.add(unit, new_instance())
    assert made.id is not None
    assert made.paper is True
    found = instances.get(unit, made.id, 1)
    assert (found.created_at, found.epoch, found.revision, found.limits) == (LATER, 0, 0, "{}")


def test_instances_and_accounts_of_others_are_not_there(unit: UnitOfWork) -> None:
    with pytest.raises(instances.NoSuchRow):
        instances.get(unit, 1, owner=2)
    with pytest.raises(instances.NoSuchRow):
        accounts.get(unit, 1, owner=2)
    foreign = new_instance()
    foreign.owner_id = 2
    with pytest.raises(instances.NoSuchRow):
        instances.add(unit, foreign)
    assert list(instances.list_of_owner(unit, 2)) == []


def test_a_wish_is_kept_and_found_by_workers(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        instances.wish(unit, 2, 1, instances.RUNNING, LATER)
        unit.commit()
    with UnitOfWork(engine) as unit:
        assert [one.id for one in instances.wished(unit)] == [2]
        assert [one.id for one in instances.list_of_owner(unit, 1, limit=2, after=1)] == [2, 3]
        with pytest.raises(instances.UnknownWish):
            instances.wish(unit, 2, 1, "faster", LATER)


def test_an_edit_needs_the_revision_that_was_looked_at(unit: UnitOfWork) -> None:
    edited = instances.edit(unit, 1, 1, 0, {"parameters": '{"levels":5}'}, LATER)
    assert (edited.revision, edited.parameters) == (1, '{"levels":5}')
    with pytest.raises(instances.EditedMeanwhile):
        instances.edit(unit, 1, 1, 0, {"parameters": "{}"}, LATER)
    with pytest.raises(Refused, match="symbol"):
        instances.edit(unit, 1, 1, 1, {"symbol": "ETHUSDT"}, LATER)


async def test_a_reset_waits_for_orders_and_forgets_state_and_units(engine: Engine) -> None:
    journal = GroupCommitJournal(address(engine), SystemTime())
    await journal.pin_units(1, BTCUSDT)
    await journal.commit(step(intents=[order()], state=StoredState([1], [])))
    with UnitOfWork(engine) as unit, pytest.raises(instances.StillWorking):
        instances.reset(unit, 1, 1, LATER)
    await journal.commit(step(orders=[order(status=CANCELLED)]))
    with UnitOfWork(engine) as unit:
        assert instances.reset(unit, 1, 1, LATER).generation == 1
        unit.commit()
    assert await journal.load(1) == Stored(None, [], [], [], None)
    await journal.close()


async def test_results_are_the_exact_sums_of_the_fills(engine: Engine) -> None:
    journal = GroupCommitJournal(address(engine), SystemTime())
    await journal.pin_units(1, BTCUSDT)
    bought = order(slot=1)
    key = OrderKey(1, 1, 0, 2, 0, 1, 0)
    sold = order(slot=2)._replace(key=key, client_order_id=encode(key), side=SELL, ticks=6_100_000, lots=50)
    await journal.commit(step(intents=[bought, sold]))
    first = fill(bought, "9", fee=100)
    second = fill(sold, "10", 50, first.time_ms, fee=3_050_000, fee_asset="USDT")
    await journal.commit(filled_step(bought, first))
    await journal.commit(filled_step(sold, second, metrics=RiskMetrics(1, 20_500, 4_993_895, 9, 2, 0, LATER_MS)))
    with UnitOfWork(engine) as unit:
        instance = instances.get(unit, 1, 1)
        found = results.of_instance(unit, instance)
        assert found.position == Decimal("0.000499")
        assert found.cost - found.realised == Decimal("60") - Decimal("30.5")
        assert found.fees == {"BTC": Decimal("0.000001"), "USDT": Decimal("0.0305")}
        assert found.trades == 2
        assert results.days(unit, instance) == [results.Day(20_500, Decimal("0.04993895"), Decimal("0.00000009"), 2)]
        assert results.balances(unit, 1, cash(1)) == {
            "BTC": 100_000 - 100 - 50_000,
            "USDT": -6_000_000_000 + 3_050_000_000 - 3_050_000,
        }
        assert sum(results.balances(unit, 1, "fees").values()) == 3_050_100
    await journal.close()


LATER_MS = 1_777_636_800_123


async def test_orders_fills_and_entries_come_newest_first_in_pages(engine: Engine) -> None:
    journal = GroupCommitJournal(address(engine), SystemTime())
    made = [order(slot=slot) for slot in range(6)]
    for slot, one in enumerate(made):
        await journal.commit(step(intents=[one]))
        if slot % 2:
            await journal.commit(filled_step(one, fill(one, str(slot), time_ms=LATER_MS + slot)))
    await journal.close()
    with UnitOfWork(engine) as unit:
        page = trading.orders(unit, 1, limit=4)
        rest = trading.orders(unit, 1, before=page[-1].state_version)
        assert [one.slot for one in (*page, *rest)] == [5, 4, 3, 2, 1, 0]
        assert [one.slot for one in trading.open_orders(unit, 1)] == [4, 2, 0]
        newest = trading.fills(unit, 1, limit=2)
        assert [one.trade_id for one in newest] == ["5", "3"]
        assert [one.trade_id for one in trading.fills(unit, 1, before=newest[-1].executed_at)] == ["1"]
        (entry, postings), *_ = trading.entries(unit, 1, limit=1)
        assert entry.reference == "BTCUSDT:5"
        assert [(one.ledger_account, one.asset, one.amount) for one in postings] == [
            tuple(one) for one in entry_of(fill(made[5], "5"), 1).postings
        ]


def test_results_need_units(unit: UnitOfWork) -> None:
    with pytest.raises(results.NotStarted):
        results.of_instance(unit, instances.get(unit, 1, 1))


def test_credentials_are_kept_as_bytes_and_make_the_rights_unknown(engine: Engine) -> None:
    secret = accounts.Ciphertext(b"\x00\xffkey", b"secret\x00", None, "2026-01")
    with UnitOfWork(engine) as unit:
        accounts.set_credentials(unit, 1, 1, secret, LATER)
        accounts.set_rights(unit, 1, "verified", LATER)
        unit.commit()
    with UnitOfWork(engine) as unit:
        found = accounts.get(unit, 1, 1)
        assert (found.api_key, found.api_secret, found.passphrase, found.key_id) == tuple(secret)
        assert (found.rights, found.rights_checked_at) == ("verified", LATER)
        assert accounts.set_credentials(unit, 1, 1, secret, LATER).rights == "unknown"
        assert accounts.user_named(unit, "ann") is not None
        assert accounts.user_named(unit, "Ann") is None


def test_commands_count_up_and_the_same_request_is_the_same_command(unit: UnitOfWork) -> None:
    first, second = commands.give(unit, command("a")), commands.give(unit, command("b"))
    assert (first.sequence, second.sequence) == (1, 2)
    assert commands.give(unit, command("a")).id == first.id
    with pytest.raises(commands.OtherCommand):
        commands.give(unit, command("a", kind="start"))
    with pytest.raises(instances.NoSuchRow):
        commands.give(unit, command("c", instance=99))


def test_a_command_has_one_outcome(unit: UnitOfWork) -> None:
    given = commands.give(unit, command())
    assert given.id is not None
    assert [one.id for one in commands.waiting(unit, 1)] == [given.id]
    with pytest.raises(Refused):
        commands.finish(unit, given.id, "perhaps", "", LATER)
    assert commands.finish(unit, given.id, commands.DONE, "", LATER)
    assert not commands.finish(unit, given.id, commands.EXPIRED, "", LATER)
    assert list(commands.waiting(unit, 1)) == []


def chain(engine: Engine, length: int = 3) -> None:
    with UnitOfWork(engine) as unit:
        for number in range(length):
            deed = audit.Deed("ann", "wish", {"b": number, "a": "停止"}, owner=1, instance=number)
            audit.record(unit, deed, LATER + timedelta(microseconds=number))
        unit.commit()


def test_the_audit_chain_verifies_over_several_transactions(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        assert audit.verify(unit) == 0
    chain(engine)
    chain(engine)
    with UnitOfWork(engine) as unit:
        assert audit.verify(unit) == 6


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET content = '{}' WHERE sequence = 2",
        "UPDATE audit SET actor = 'bob' WHERE sequence = 3",
        "UPDATE audit SET owner_id = NULL WHERE sequence = 1",
        "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit",
    ],
)
def test_a_change_in_the_audit_chain_is_found(engine: Engine, change: str) -> None:
    chain(engine)
    with UnitOfWork(engine) as unit:
        unit.connection.execute(text(change))
        unit.commit()
    with UnitOfWork(engine) as unit, pytest.raises(audit.ChainBroken):
        audit.verify(unit)


def test_an_empty_database_gets_one_paper_grid_and_only_once(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        assert bootstrap(unit, NOW) is None
        for table in ("strategy_instances", "accounts", "users"):
            unit.connection.execute(text(f"DELETE FROM {table}"))
        unit.commit()
    with UnitOfWork(engine) as unit:
        made = bootstrap(unit, NOW)
        unit.commit()
    assert made is not None
    assert (made.strategy_type, made.symbol, made.desired_state) == ("grid", "BTCUSDT", instances.RUNNING)
    assert made.paper is True
    with UnitOfWork(engine) as unit:
        assert bootstrap(unit, NOW) is None
        account = unit.session.get(Account, made.account_id)
        assert account is not None
        assert account.exchange == "paper"
        assert audit.verify(unit) == 1


def test_the_grid_an_empty_database_begins_with_is_one_the_strategy_accepts() -> None:
    STRATEGIES.scan(strategies)
    kind = STRATEGIES.get("grid")
    plan = kind.prepare(kind.params.model_validate(GRID), BTCUSDT, 6_500_000)
    assert plan.slots == 21
