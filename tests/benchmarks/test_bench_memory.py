"""How much memory commands need at the most, each in a process of its own, as a cohort grows.

A simulated release of one, four and sixteen times a size is prepared, scored by models and from a file, and
reported.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort
from cohorts.preparing import prepare
from cohorts.simulator.simulate import simulate
from tests.benchmarks.measuring import LEADBOARD, in_process

SCALES = (1.0, 4.0, 16.0)
KEPT = 12 * 1000 * 4 * 1000 / 2**20
"""MiB of 1,000 records as these models ask for them; a run keeps up to a quarter of the spare memory."""

MODELS = """
class Loudness:
    input = {"sampling_rate": 100, "seconds": 10}

    def predict(self, batch):
        return abs(batch.signals).mean(axis=(1, 2))[:, None]


for name in "ABCD":
    card = {"name": name, "input": Loudness.input, "outputs": ["AF"], "trained_on": []}
    globals()[name] = type(name, (Loudness,), {"card": card})
"""


@pytest.mark.timeout(1800)
def test_peak_memory(row: Callable[..., None], tmp_path: Path) -> None:
    models = tmp_path / "models.py"
    models.write_text(MODELS)
    records: list[int] = []
    peaks: dict[str, list[float]] = {}

    def measure(name: str, *arguments: object) -> None:
        peaks.setdefault(name, []).append(in_process(tmp_path, LEADBOARD, *arguments).peak)

    for scale in SCALES:
        here = tmp_path / f"{scale:g}"
        [root] = simulate(here / "data", sites=["georgia"], scale=scale)
        places = ("--cohort", "georgia", "--data", here / "data", "--cache", here / "cache")
        settings = (*places, "--resamples", 1000, "--out")
        measure("prepare", "prepare", "georgia", *places[2:])
        measure("run", "run", "--device", "cpu", "--model", f"{models}:A", *settings, here / "run")
        four = [word for name in "ABCD" for word in ("--model", f"{models}:{name}")]
        measure("run of four", "run", "--device", "cpu", *four, *settings, here / "four")
        scores = _scores(root, here / "cache")
        records.append(len(scores))
        scores.to_csv(here / "scores.csv", index=False)
        measure("score", "score", here / "scores.csv", "--name", "E", *settings, here / "scored")
        measure("report", "report", here / "run")

    limits = {"prepare": 10.0, "run": KEPT + 10, "run of four": KEPT + 10, "score": 10.0, "report": 10.0}
    sizes = ", ".join(f"{count:,}" for count in records)
    for name, limit in limits.items():
        command = "run` of four models with one input" if name == "run of four" else f"{name}`"
        growth, start = np.polyfit(records, peaks[name], 1)
        explained = np.corrcoef(records, peaks[name])[0, 1] ** 2
        found = ", ".join(f"{peak:.0f}" for peak in peaks[name])
        each = {"all signals as float32 at 500 Hz, by arithmetic,": 5 * KEPT}
        row(
            f"Peak memory of `leadboard {command}, {sizes} records: {found} MiB",
            1000 * growth,
            f"MiB for each 1,000 records, beside {start:.0f} (R² {explained:.3f})",
            each if name in ("prepare", "run") else {},
            at_most=limit,
        )


def _scores(root: Path, cache: Path) -> pd.DataFrame:
    """What a model that runs elsewhere would bring."""
    with prepare(find_cohort("georgia")(root), cache) as store:
        concepts = store.labels.columns[(store.labels >= 0).any()]
        drawn = np.random.default_rng(0).random((len(store), len(concepts)))
        return pd.DataFrame(drawn, columns=concepts).assign(record_id=store.index["record_id"])
