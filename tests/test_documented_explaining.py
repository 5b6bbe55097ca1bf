"""docs/explaining.md and docs/doctor.md: typed on two small simulated hospitals, as they stand."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import command
from tests.documented import Typed, blocks, files, find_lines, section, sessions, type_session, typing_at

DOCS = Path(__file__).parents[1] / "docs"
TYPES = {
    "docs/explaining.md": ["`leadboard explain RUN MODEL COHORT CONCEPT`", "`leadboard map RUN MODEL`"],
    "docs/doctor.md": ["What is wrong with this machine?"],
}
PAGES = {page: (DOCS.parent / page).read_text(encoding="utf-8") for page in TYPES}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model of the page."""
    desk = tmp_path_factory.mktemp("desk")
    for name, code in files(PAGES["docs/explaining.md"]).items():
        (desk / name).write_text(code)
    return desk


@pytest.fixture
def types(desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    yield from typing_at(desk, monkeypatch, capfd)


def test_what_is_explained_and_mapped_is_what_the_page_shows(types: Typed) -> None:
    for title in TYPES["docs/explaining.md"]:
        for code in blocks(section(PAGES["docs/explaining.md"], title), "console"):
            type_session(code, types)


def test_the_doctor_says_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks(PAGES["docs/doctor.md"], "console")
    (limit, _), (line, expected) = sessions(code)
    assert limit == "ulimit -S -n 512"
    (tmp_path / "sim").mkdir()
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        find_lines(expected, command(tmp_path, *line.split()[1:], code=1).out)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
