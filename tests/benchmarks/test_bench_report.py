"""How long `leadboard report` takes on large runs, the memory it needs in a process of its own, its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.big_run import write
from tests.benchmarks.measuring import LEADBOARD, in_process

MOST_MEGABYTES = 5
"""Of a page that people send each other."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("models", "cohorts", "concepts", "seconds", "mebibytes"),
    [(16, 11, 30, 5, 400), (20, 17, 100, 20, 1024)],
)
def test_report(
    row: Callable[..., None],
    tmp_path: Path,
    models: int,
    cohorts: int,
    concepts: int,
    seconds: int,
    mebibytes: int,
) -> None:
    write(tmp_path / "run", models, cohorts, concepts)
    spent = in_process(tmp_path, LEADBOARD, "report", tmp_path / "run")
    what = f"`leadboard report`, {models} models x {cohorts} cohorts x {concepts} concepts, 10,000 resamples"
    row(f"{what}: on the clock", spent.seconds, f"s ({spent.busy:.1f} s of processor time)", at_most=seconds)
    row(f"{what}: peak memory", spent.peak, "MiB", at_most=mebibytes)
    page = (tmp_path / "run" / "leaderboard.html").stat().st_size / 1e6
    row(f"{what}: page", page, "MB", at_most=MOST_MEGABYTES)
