"""A finished run of a model that counts how often it is built, and ways to damage its files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions, save_predictions
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import load_run
from benchmark.run.runner import Outcome, run
from benchmark.run.states import RunOptions

COUNTING = """
from pathlib import Path

class Counting:
    card = {"name": "counting", "outputs": ["AF", "LVH"], "trained_on": []}

    def __init__(self):
        with (Path(__file__).parent / "asked").open("a") as file:
            file.write("x")

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2]
"""
CELLS = "counting/as-is"
Damage = Callable[[Path], object]


def again(home: Path, folder: Path, *more: str, resamples: int = 50) -> Outcome:
    options = RunOptions(
        folder,
        Places(home / "data", home / "cache"),
        RunSettings(resamples=resamples),
        Hardware(),
        (f"{home / 'counting.py'}:Counting", *more),
    )
    return run(options, Reporter())


def times_built(home: Path) -> int:
    return len((home / "asked").read_text())


def results(folder: Path) -> list[ResultRecord]:
    """Records without the hour they were made at."""
    found = load_run(folder)[1]
    same = {"created": "", "seconds": 0.0, "records_per_second": 0.0}
    return [
        record.model_copy(update={"provenance": record.provenance.model_copy(update=same)})
        for record in found
    ]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def exchange(path: Path) -> None:
    """Put the whole file of the other cohort there."""
    shutil.copyfile(path.with_name(path.name.replace("georgia", "ptb-xl")), path)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_a_score(path: Path) -> None:
    table, key = load_predictions(path)
    table["AF"] = table["AF"].to_numpy() + np.eye(len(table), dtype=np.float32)[3]
    save_predictions(table, key, path)


def cells_on_page(folder: Path) -> set[tuple[str, str]]:
    content = json.loads((folder / "leaderboard.json").read_text())
    return {(cell["model"]["name"], cell["cohort"]["id"]) for cell in content["cells"]}
