from __future__ import annotations

import socket

import pytest

from tests.services import free_port, listens, program, wait_until


def test_a_missing_program_skips_on_a_desk_and_fails_in_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        program("no-such-server")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        program("no-such-server")


def test_the_first_installed_name_is_taken() -> None:
    assert program("no-such-shell", "sh").endswith("/sh")


def test_a_port_is_known_to_be_listened_on_or_not() -> None:
    assert not listens(free_port())
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert listens(server.getsockname()[1])


def test_what_never_happens_fails_with_its_name() -> None:
    with pytest.raises(pytest.fail.Exception, match="the end of time did not happen within 0 s"):
        wait_until(lambda: False, "the end of time", seconds=0)
