from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.reports import examined, histories
from tests.markets import trending

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


def test_a_report_is_shown_by_a_browser_without_anything_sticking_out(tmp_path: Path) -> None:
    found = list(examined(iter([("walk", trending(4, 600))]), tmp_path, "interpreted"))
    assert [one.name for one in found] == ["walk grid", "walk ma_cross"]
    assert {one.name: one.complaints for one in found} == {"walk grid": [], "walk ma_cross": []}
    assert all(one.figures["fills"] > 0 for one in found)
    assert len(list(tmp_path.glob("*.png"))) == 4
    text = (tmp_path / "walk-grid.html").read_text()
    assert f"{found[0].figures['fills']:,}" in text
    assert "http" not in text


@pytest.mark.acceptance
@pytest.mark.slow
def test_every_recorded_symbol_has_a_report_that_a_browser_shows(recorded_data: Path, tmp_path: Path) -> None:
    found = list(examined(histories(recorded_data), tmp_path))
    assert len(found) >= 2 * 15
    assert {one.name: one.complaints for one in found if one.complaints} == {}
    assert [one.name for one in found if one.figures["fills"] == 0] == []
