"""What is seen of a run while it goes on is what has been measured so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from benchmark.commands import mid_run
from benchmark.commands.mid_run import MidRun, standings
from benchmark.progress import Reporter
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import cell_path
from tests.benchmark.report.report_factory import concept, record, write_run


def of(model: str, cohort: str, relation: str = "external", **aurocs: float) -> ResultRecord:
    return record(model, cohort, {name: concept(value) for name, value in aurocs.items()}, relation=relation)


def test_ranks_so_far_are_over_what_all_models_have() -> None:
    found = standings(
        [
            of("a", "georgia", AF=0.9, SB=0.5),
            of("a", "sph", AF=0.1, SB=0.1),  # the other has not come there yet
            of("b", "georgia", AF=0.8),
            of("b", "ptb-xl", "internal", AF=0.99),
            of("c", "ptb-xl", "internal", AF=0.99),
        ]
    )
    assert [(row.model, row.mean, row.cells) for row in found.rows] == [
        ("a", 0.9, 2),
        ("b", 0.8, 2),
        ("c", None, 1),
    ]
    assert (found.cohorts, found.simulated) == (1, False)


def test_nothing_is_ranked_on_different_cohorts() -> None:
    found = standings([of("a", "georgia", AF=0.9), of("b", "sph", AF=0.8)])
    assert [row.mean for row in found.rows] == [None, None]
    assert standings([]).rows == []


def plan_of(run: Path, records: Sequence[ResultRecord]) -> Any:
    def task(one: ResultRecord) -> Any:
        path = cell_path(run, one.model.name, one.protocol, one.cohort.id)
        return SimpleNamespace(state=SimpleNamespace(status="done"), cell=SimpleNamespace(path=path))

    return SimpleNamespace(tasks=[task(one) for one in records])


@pytest.fixture
def records() -> list[ResultRecord]:
    return [of("a", "georgia", AF=0.9), of("b", "georgia", AF=0.8)]


def test_the_page_is_written_when_it_is_due_and_not_before(
    tmp_path: Path, records: list[ResultRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(mid_run, "time", SimpleNamespace(monotonic=lambda: now[0]))
    run = write_run(tmp_path / "run", records)
    seen = MidRun(run, "auroc", Reporter())
    seen(plan_of(run, records))
    assert not (run / "leaderboard.html").exists()
    now[0] += mid_run.LEAST_SECONDS
    seen(plan_of(run, records))
    page = run / "leaderboard.html"
    assert "0.900" in page.read_text("utf-8")
    page.unlink()
    now[0] += mid_run.LEAST_SECONDS - 1
    seen(plan_of(run, records))
    assert not page.exists()


def test_before_any_cell_there_is_no_table_but_how_many_there_will_be(tmp_path: Path) -> None:
    reporter = Reporter()
    reporter.console = Console(force_terminal=True)
    planned = SimpleNamespace(state=SimpleNamespace(status="planned"), cell=None)
    MidRun(tmp_path, "auroc", reporter)(SimpleNamespace(tasks=[planned] * 3))
    assert reporter.above is not None
    with reporter.console.capture() as printed:
        reporter.console.print(reporter.above())
    text = printed.get()
    assert "0 of 3 cells done" in text
    assert "Rank" not in text


def test_the_table_shows_ranks_and_what_is_left(tmp_path: Path, records: list[ResultRecord]) -> None:
    run = write_run(tmp_path / "run", records)
    reporter = Reporter()
    reporter.console = Console(force_terminal=True, width=120)
    seen = MidRun(run, "auroc", reporter)
    seen(plan_of(run, records))
    assert reporter.above is not None
    with reporter.console.capture() as printed:
        reporter.console.print(reporter.above())
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", printed.get()).split())
    assert "So far, over 1 external cohort and the concepts that all of these have" in text
    assert text.index("0.900") < text.index("0.800")
    assert "2 of 2 cells done" in text
