from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from core.secrets import EncryptionKey, Opener, Sealer, UnknownKey
from db.migrate import head_revision
from db.models import EquityPoint, Node, User
from db.queries import accounts, editions, equity, platform, sessions
from db.rotation import place_of, rotate_credentials
from db.unit_of_work import UnitOfWork
from tests.unit.core.test_secrets import KEY, OTHER_KEY

pytestmark = pytest.mark.services
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_kill_switch_for_everybody_stops_everybody(unit: UnitOfWork) -> None:
    assert not platform.kill_state(unit).stops(1)
    platform.set_kill(unit, on=True, by="ann", owner=None, now=NOW)
    state = platform.kill_state(unit)
    assert state.everybody == platform.Kill(True, "ann", NOW)
    assert state.stops(1)
    assert state.stops(2)


def test_an_owners_switch_stops_that_owner_alone(unit: UnitOfWork) -> None:
    platform.set_kill(unit, on=True, by="ann", owner=1, now=NOW)
    platform.set_kill(unit, on=False, by="bob", owner=None, now=NOW)
    state = platform.kill_state(unit)
    assert state.stops(1)
    assert not state.stops(2)
    platform.set_kill(unit, on=False, by="ann", owner=1, now=NOW)
    assert not platform.kill_state(unit).stops(1)


def test_who_turned_the_switch_first_is_kept(unit: UnitOfWork) -> None:
    platform.set_kill(unit, on=True, by="ann", owner=None, now=NOW)
    kept = platform.set_kill(unit, on=True, by="bob", owner=None, now=NOW + HOUR)
    assert kept == platform.Kill(True, "ann", NOW)


def test_a_switch_that_cannot_be_read_is_told(unit: UnitOfWork) -> None:
    platform.set_kill(unit, on=True, by="ann", owner=None, now=NOW)
    unit.session.flush()
    unit.connection.execute(text("UPDATE platform_settings SET value = '1'"))
    unit.session.expire_all()
    with pytest.raises(platform.BadSetting, match="kill"):
        platform.kill_state(unit)


def test_the_newest_law_that_has_traded_is_kept_until_a_person_goes_back(unit: UnitOfWork) -> None:
    assert editions.recorded(unit) == (head_revision(), 0)
    for law, newest in ((2, 2), (1, 2), (3, 3)):
        editions.note_law(unit, law, NOW)
        assert editions.recorded(unit).law == newest
    editions.go_back(unit, 1, NOW)
    assert editions.recorded(unit).law == 1
    unit.connection.execute(text("UPDATE platform_settings SET value = 'x' WHERE name = 'law'"))
    unit.session.expire_all()
    with pytest.raises(editions.BadLaw, match="--back"):
        editions.recorded(unit)


def node(worker_id: str, seen: datetime) -> Node:
    return Node(
        worker_id=worker_id,
        hostname="host",
        ip="127.0.0.1",
        http_port=9000,
        version="1",
        started_at=NOW,
        last_seen_at=seen,
    )


def test_nodes_are_seen_again_and_forgotten(unit: UnitOfWork) -> None:
    for one in (node("b", NOW), node("a", NOW - HOUR), node("b", NOW + HOUR)):
        platform.see_node(unit, one)
    assert [one.worker_id for one in platform.nodes(unit)] == ["a", "b"]
    assert [one.worker_id for one in platform.nodes(unit, NOW)] == ["b"]
    platform.forget_node(unit, "b")
    platform.forget_node(unit, "nobody")
    assert [one.worker_id for one in platform.nodes(unit)] == ["a"]


def point(seconds: int, equity_quanta: int = 10**20) -> EquityPoint:
    moment = NOW + timedelta(seconds=seconds)
    return EquityPoint(
        strategy_instance_id=1,
        at=moment,
        owner_id=1,
        equity=equity_quanta,
        realised=-5,
        unrealised=3,
        fees=2,
    )


def test_equity_is_kept_exactly_and_thinned_when_old(unit: UnitOfWork) -> None:
    equity.add(unit, [point(seconds) for seconds in range(0, 600, 60)])
    equity.add(unit, [point(540, 7)])
    assert [one.equity for one in equity.since(unit, 1, None)] == [10**20] * 9 + [7]
    assert [one.at for one in equity.since(unit, 1, NOW + timedelta(seconds=400), limit=2)] == [
        NOW + timedelta(seconds=480),
        NOW + timedelta(seconds=540),
    ]
    assert equity.thin(unit, 1, NOW + timedelta(seconds=500), 300) == 7
    left = [(one.at - NOW).seconds for one in equity.since(unit, 1, None)]
    assert left == [240, 480, 540]
    assert equity.thin(unit, 2, NOW + HOUR, 300) == 0


def test_a_login_link_signs_in_once_and_its_token_is_not_kept(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        token = sessions.make_link(unit, 1, NOW, HOUR)
        unit.commit()
    with UnitOfWork(engine) as unit:
        assert token not in str(unit.connection.execute(text("SELECT * FROM login_links")).all())
        assert sessions.spend_link(unit, token, NOW) == 1
        with pytest.raises(sessions.LinkSpent):
            sessions.spend_link(unit, token, NOW)
        with pytest.raises(sessions.LinkSpent):
            sessions.spend_link(unit, "made up", NOW)
        late = sessions.make_link(unit, 1, NOW, HOUR)
        with pytest.raises(sessions.LinkSpent):
            sessions.spend_link(unit, late, NOW + 2 * HOUR)


def test_a_session_ends_by_time_by_leaving_and_with_its_user(unit: UnitOfWork) -> None:
    token = sessions.begin(unit, 1, NOW, HOUR)
    found = sessions.user_of(unit, token, NOW)
    assert found is not None
    assert found.login == "ann"
    assert sessions.user_of(unit, "made up", NOW) is None
    assert sessions.user_of(unit, token, NOW + 2 * HOUR) is None
    found.disabled = True
    unit.session.flush()
    assert sessions.user_of(unit, token, NOW) is None
    found.disabled = False
    unit.session.flush()
    sessions.end(unit, token)
    assert sessions.user_of(unit, token, NOW) is None


def seal(unit: UnitOfWork, account: int, key: EncryptionKey, phrase: str | None = None) -> None:
    found = accounts.get(unit, account, 1)

    def of(column: str, plain: str) -> bytes:
        return Sealer(key).seal(SecretStr(plain), place_of(found, column))

    api_key, api_secret = (of(column, f"{column} of {account}") for column in ("api_key", "api_secret"))
    passphrase = of("passphrase", phrase) if phrase else None
    accounts.set_credentials(unit, account, 1, accounts.Ciphertext(api_key, api_secret, passphrase, key.id), NOW)


def test_rotation_moves_every_credential_keeps_what_it_says_and_can_be_repeated(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        numbers = [one.id for one in accounts.list_of_owner(unit, 1) if one.id is not None]
        for account in numbers:
            seal(unit, account, KEY, "phrase" if account == numbers[0] else None)
        accounts.set_rights(unit, numbers[0], "verified", NOW)
        unit.commit()
    both = Opener([KEY, OTHER_KEY])
    assert rotate_credentials(engine, both, Sealer(OTHER_KEY), NOW + HOUR) == len(numbers)
    assert rotate_credentials(engine, both, Sealer(OTHER_KEY), NOW + HOUR) == 0
    with UnitOfWork(engine) as unit:
        for account in numbers:
            found = accounts.get(unit, account, 1)
            assert found.key_id == OTHER_KEY.id
            assert found.api_secret is not None
            opened = Opener([OTHER_KEY]).open(found.api_secret, OTHER_KEY.id, place_of(found, "api_secret"))
            assert opened.get_secret_value() == f"api_secret of {account}"
        assert accounts.get(unit, numbers[0], 1).rights == "verified"


def test_rotation_without_the_old_key_says_which_and_changes_nothing(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        seal(unit, 1, KEY)
        unit.commit()
    with pytest.raises(UnknownKey, match=KEY.id):
        rotate_credentials(engine, Opener([OTHER_KEY]), Sealer(OTHER_KEY), NOW)
    with UnitOfWork(engine) as unit:
        assert accounts.get(unit, 1, 1).key_id == KEY.id


def test_a_user_keeps_the_address_of_the_first_sign_in(unit: UnitOfWork) -> None:
    made = accounts.add_user(unit, User(login="carl", created_at=NOW, email="carl@example.org"))
    assert accounts.user_named(unit, "carl") == made
