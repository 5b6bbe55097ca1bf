"""A tiny run and what can be done to its files, for the tests of submissions and their verification."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.manifest import Manifest, hashes
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import content_hash, load_predictions, predictions_table, save_predictions
from benchmark.run.cohorts import prepare_cohort
from benchmark.run.planning import RunOptions
from benchmark.run.runner import run as run_cells
from benchmark.scoring.on_cohort import read_submitted, score_submitted
from tests.releases import write_challenge, write_ptb_xl

SETTINGS = RunSettings(resamples=50)

NOISY = """
class Noisy:
    card = {"name": "noisy", "description": "first", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):  # a sample of noise each, and a little of the wave
        return batch.signals[:, :2, 0] + batch.signals.std(axis=2)[:, :2]
"""


def make_places(folder: Path) -> Places:
    """PTB-XL and Georgia, tiny."""
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data")
    return Places(folder / "data", folder / "cache")


def make_run(folder: Path, places: Places, *models: str) -> Path:
    """A run of the noisy model, and of others; predictions of ``mine`` on Georgia are beside it."""
    plugin = folder / "noisy.py"
    plugin.write_text(NOISY)
    run = folder / "run"
    names = (f"{plugin}:Noisy", *models)
    run_cells(RunOptions(run, places, SETTINGS, Hardware(), models=names), Reporter())
    table, _ = load_predictions(run / "noisy/as-is/georgia.parquet")
    score_table(run, places, table, "mine")
    return run


def score_table(run: Path, places: Places, table: pd.DataFrame, name: str, **more: Any) -> None:
    """Score predictions of Georgia as ``leadboard score --cohort georgia`` does."""
    file = run.parent / f"{name}.parquet"
    table.to_parquet(file)
    card = run.parent / f"{name}.yaml"
    card.write_text(f"name: {name}\ntrained_on: {more.pop('trained_on', '[ptb-xl]')}\n")
    store = prepare_cohort("georgia", places, Reporter())
    score_submitted(read_submitted(file, card=card), store, run, SETTINGS, Reporter().say, **more)


def edit_json(path: Path, edit: Callable[[Any], Any]) -> None:
    """Change a JSON file in place."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def replace_predictions(folder: Path, place: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the predictions of a submission, and make its record say that these are the ones."""
    path = folder / "predictions" / f"{place}.parquet"
    table, key = load_predictions(path)
    table = edit(table)
    outputs = tuple(table.columns[1:])
    scores = table[list(outputs)].to_numpy(np.float32)[None]
    save_predictions(predictions_table(table["record_id"], scores, outputs), key, path)

    def restate(record: Any) -> None:
        record["predictions"] |= {"sha256": content_hash(table), "rows": len(table)}
        record["records"]["unselected"] += record["records"]["scored"] - len(table)
        record["records"]["scored"] = len(table)

    edit_json(folder / "records" / f"{place}.json", restate)


def reseal(folder: Path) -> Path:
    """Make the manifest fit what is there, as a forger would, and name the folder by it."""
    model = json.loads((folder / "manifest.json").read_text())["model"]
    manifest = Manifest(model=model, files=hashes(folder))
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder.rename(folder.parent / manifest.folder)
