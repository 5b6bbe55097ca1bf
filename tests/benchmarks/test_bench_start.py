"""How long commands take that compute nothing, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks.measuring import LEADBOARD, in_process, in_turns

TURNS = 5


def test_start_up(row: Callable[..., None], tmp_path: Path) -> None:
    commands = ("--help", "models", "cohorts")
    others = {"Python alone": "pass", "import pandas": "import pandas", "import torch": "import torch"}
    turns = in_turns(
        {command: partial(in_process, tmp_path, LEADBOARD, command) for command in commands}
        | {name: partial(in_process, tmp_path, code) for name, code in others.items()},
        TURNS,
    )
    instead = {name: turns.median(name) for name in others}
    for command in commands:
        row(f"`leadboard {command}`, from its start to its end", turns.median(command), "s", instead)
