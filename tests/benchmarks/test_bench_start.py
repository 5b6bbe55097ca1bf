"""How long commands take that compute nothing, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.measuring import LEADBOARD, in_process, in_turns

TURNS = 5


@pytest.mark.parametrize("command", ["--help", "models", "cohorts"])
def test_start_up(
    row: Callable[..., None], benchmark: BenchmarkFixture, tmp_path: Path, command: str
) -> None:
    others = {"Python alone": "pass", "import pandas": "import pandas", "import torch": "import torch"}
    turns = in_turns(
        benchmark,
        {command: partial(in_process, tmp_path, LEADBOARD, command)}
        | {name: partial(in_process, tmp_path, code) for name, code in others.items()},
        TURNS,
    )
    instead = {name: turns.median(name) for name in others}
    row(f"`leadboard {command}`, from its start to its end", turns.median(command), "s", instead)
