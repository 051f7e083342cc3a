"""An address that asks for an encrypted connection gets one for all that is kept, the journal included, or none."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import OperationalError

from db.database import opened
from db.journal import drivers
from tests.authority import vouched_for
from tests.services import Service, create_schema

pytestmark = pytest.mark.services
CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"


@pytest.fixture
def only_encrypted(mariadb_service: Service) -> URL:
    """The address of a user whom the server does not talk to in the clear."""
    address = make_url(create_schema(mariadb_service, "ares_encrypted"))
    with opened(address.render_as_string(hide_password=False)) as engine, engine.begin() as connection:
        for host in ("localhost", "127.0.0.1"):
            connection.execute(text(f"CREATE OR REPLACE USER careful@'{host}' IDENTIFIED BY 'word' REQUIRE SSL"))
            connection.execute(text(f"GRANT ALL ON `{address.database}`.* TO careful@'{host}'"))
    return address.set(username="careful", password="word", query={})


def written(address: URL, authority: Path) -> str:
    return address.set(query={"ssl_ca": str(authority)}).render_as_string(hide_password=False)


def test_the_journal_is_encrypted_as_everything_else_is(only_encrypted: URL, mariadb_service: Service) -> None:
    url = written(only_encrypted, mariadb_service.folder / "authority.pem")
    with opened(url) as engine, engine.connect() as connection:
        assert connection.execute(text(CIPHER)).one()[1]
    journal = drivers.connect(url)
    try:
        ((_, cipher),) = journal.run(CIPHER)
    finally:
        journal.close()
    assert cipher


def test_a_server_that_nobody_vouches_for_is_told_nothing(only_encrypted: URL, tmp_path: Path) -> None:
    vouched_for("127.0.0.1", tmp_path)
    url = written(only_encrypted, tmp_path / "authority.pem")
    with pytest.raises(OperationalError, match="certificate verify failed"), opened(url) as engine:
        engine.connect()
    with pytest.raises(pymysql.OperationalError, match="certificate verify failed"):
        drivers.connect(url)
