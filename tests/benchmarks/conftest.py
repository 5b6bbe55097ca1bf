"""Every benchmark adds rows to one table; a limit that is missed fails the benchmark, and the row stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.made_up import Cohort, made_up_cohort
from tests.benchmarks.table import Row, machine, save, table

ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
LOAD: pytest.StashKey[float] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", type=Path, help="Markdown file for the table, or a page with marks for it")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []
    config.stash[LOAD] = os.getloadavg()[0]
    config.option.benchmark_quiet = not config.option.benchmark_compare  # else there is one table, ours


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Add a row to the table, and to what pytest-benchmark saves: the arguments are those of `Row`."""
    mine: list[Row] = []

    def add(*arguments: Any, **named: Any) -> None:
        mine.append(Row(*arguments, **named))
        request.config.stash[ROWS].append(mine[-1])
        if "benchmark" in request.fixturenames:
            request.getfixturevalue("benchmark").extra_info["rows"] = [asdict(one) for one in mine]

    yield add
    missed = [" | ".join(one.cells[:-1]) for one in mine if one.missed]
    assert not missed, "limits missed:\n" + "\n".join(missed)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    text = f"{machine(config.stash[LOAD])}\n\n{table(rows)}"
    terminalreporter.write_line(text)
    if path := config.getoption("--table"):
        save(text, path)
        terminalreporter.write_line(f"Table: {path}")


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    return made_up_cohort()
