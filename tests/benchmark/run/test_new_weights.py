"""A cell is done only while the files that its model reads are the same."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.config import Places
from benchmark.models.worker.environments import Interpreter, WorkerEnvironment
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from tests.releases import write_challenge, write_ptb_xl

PLUGIN = Path(__file__).parents[2] / "plugins" / "weighted.py"
FILES = ("georgia", "validation")
OTHER_PYTHON = WorkerEnvironment(Interpreter(sys.executable))


@pytest.mark.parametrize("environment", [None, OTHER_PYTHON], ids=["here", "worker"])
def test_replaced_weights_are_computed_again(tmp_path: Path, environment: WorkerEnvironment | None) -> None:
    model, folder = tmp_path / "model", tmp_path / "run"
    (model / "later").mkdir(parents=True)
    shutil.copy(PLUGIN, model)
    write_challenge(tmp_path, "georgia")
    write_ptb_xl(tmp_path)

    def computed(cache: str = "cache") -> int:
        places = Places(tmp_path, tmp_path / cache)
        asked = (f"{model / 'weighted.py'}:Weighted",)
        settings = RunSettings(resamples=20)
        options = RunOptions(
            folder, places, settings, Hardware(), asked, ("georgia",), environment=environment
        )
        return run(options, Reporter()).computed

    def scores() -> set[float]:
        found = [load_predictions(folder / f"weighted/as-is/{name}.parquet")[0] for name in FILES]
        return {float(score) for predictions in found for score in predictions["AF"]}

    np.savez(model / "weights.npz", gain=1)
    (model / "later" / "offset.json").write_text("10")
    assert computed() == 1
    assert computed() == 0
    assert scores() == {11}
    record = json.loads((folder / "weighted/as-is/georgia.json").read_text())
    assert [file["path"] for file in record["provenance"]["files"]] == ["later/offset.json", "weights.npz"]
    assert str(tmp_path) not in json.dumps(record)

    np.savez(model / "weights.npz", gain=2)
    assert computed() == 1
    assert scores() == {12}
    (model / "later" / "offset.json").write_text("20")
    assert computed() == 1
    assert scores() == {22}
    assert computed() == 0
    (model / "later" / "offset.json").write_text("30")
    assert computed("another-cache") == 1  # where nothing is noted, the record itself tells
    assert {
        float(score) for score in load_predictions(folder / "weighted/as-is/georgia.parquet")[0]["AF"]
    } == {32}


def test_records_without_files_are_read(tmp_path: Path) -> None:
    from tests.benchmark.report.report_factory import record

    content = record().model_dump(mode="json")
    del content["provenance"]["files"]
    path = tmp_path / "georgia.json"
    path.write_text(json.dumps(content))
    assert load_record(path).provenance.files == ()
