"""docs/api.md and docs/configuration.md: what they tell a reader to type prints what they show."""

from __future__ import annotations

import dataclasses
import doctest
import re
import shlex
from pathlib import Path

import pytest

from benchmark.commands.elsewhere import ElsewhereOptions
from benchmark.commands.study import Study
from benchmark.config import ConfigFile
from tests.documented import BLOCK, blocks
from tests.test_cli import Inside
from tests.test_cli import inside as inside

DOCS = Path(__file__).parents[1] / "docs"
TYPES = {"docs/configuration.md": ["One file for a study"]}
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder, in which the pages begin."""
    return tmp_path


def test_the_page_on_python_prints_what_it_shows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    examples = "\n".join(blocks((DOCS / "api.md").read_text(encoding="utf-8"), "pycon"))
    test = doctest.DocTestParser().get_doctest(examples, {}, "docs/api.md", None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0
    assert len(test.examples) > 20


def test_the_page_on_the_configuration_file_prints_what_it_shows(home: Path, inside: Inside) -> None:
    """From the first block on: files are written, commands are typed, all that they print stands there."""
    for kind, text in BLOCK.findall(CONFIGURATION):
        if kind in ("toml", "python"):
            (home / text.split()[1]).write_text(text)
            continue
        for command in re.split(r"^\$ leadboard ", text, flags=re.MULTILINE)[1:]:
            typed, _, shown = command.partition("\n")
            printed = inside(*shlex.split(typed), code=2 if "wrong" in typed else 0)
            told = set(printed.err.splitlines())
            expected = shown.splitlines()
            assert [line for line in expected if line not in told or not line] == printed.out.splitlines()
            assert printed.out or expected


def test_every_entry_of_the_file_is_on_the_page() -> None:
    fields = [*dataclasses.fields(Study), *dataclasses.fields(ElsewhereOptions)]
    named = set(re.findall(r"`\[?(?:run\.)?([a-z_]+)\]?`", CONFIGURATION))
    assert {field.name for field in fields} | {*ConfigFile.model_fields} <= named
