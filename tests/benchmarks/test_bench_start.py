"""How long commands take that compute nothing, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.measuring import LEADBOARD, in_process, in_turns

TURNS = 5


@pytest.mark.parametrize("command", ["--help", "models", "cohorts"])
def test_start_up(row: Callable[..., None], tmp_path: Path, command: str) -> None:
    turns = in_turns(
        {
            "leadboard": lambda: in_process(tmp_path, LEADBOARD, command),
            "python": lambda: in_process(tmp_path, "pass"),
            "pandas": lambda: in_process(tmp_path, "import pandas"),
            "torch": lambda: in_process(tmp_path, "import torch"),
        },
        TURNS,
    )
    row(
        f"`leadboard {command}`",
        turns.median("leadboard"),
        "s",
        {
            "Python alone": turns.median("python"),
            "import pandas": turns.median("pandas"),
            "import torch": turns.median("torch"),
        },
    )
