"""Every block of code in the documentation runs: those of one page in order, in one folder of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "web").glob("*.md")])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```\s*$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"python", "bash", "text", "json", "yaml", "toml"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words behind it, its line, its text."""

    language: str
    words: tuple[str, ...]
    line: int
    text: str

    @property
    def runs(self) -> bool:
        return self.language in {"python", "bash"} and "no-run" not in self.words


def blocks_of(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        language, *words = match.group(1).split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(language, tuple(words), line, match.group(2)))
    return found


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    command = (
        [sys.executable, "-W", "error", "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    )
    return subprocess.run(
        [*command, block.text], cwd=folder, env=environment, capture_output=True, text=True, timeout=50, check=False
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    for block in blocks_of(page.read_text()):
        if block.runs:
            done = run(block, tmp_path)
            assert done.returncode == 0, f"{page.name}:{block.line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_names_its_language(page: Path) -> None:
    unknown = [(block.line, block.language) for block in blocks_of(page.read_text()) if block.language not in LANGUAGES]
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("language", ["python", "bash"])
def test_a_block_that_fails_is_noticed(language: str, tmp_path: Path) -> None:
    page = f"text\n\n```{language}\nexit(1)\n```\n" if language == "python" else "```bash\nfalse\ntrue\n```\n"
    (block,) = blocks_of(page)
    assert block.runs
    assert run(block, tmp_path).returncode != 0


def test_a_block_marked_no_run_is_left_alone() -> None:
    (block,) = blocks_of("```bash no-run\nfalse\n```\n")
    assert not block.runs
