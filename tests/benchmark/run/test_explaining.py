"""A cell of a run is opened again, and its model is asked what it looked at."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.cli import app
from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.tiny_run import make_places

LOOKER = """
import numpy as np


class Looker:  # it looks at the waves in V2 between 1.0 and 1.2 s, and at nothing else
    card = {"name": "looker", "outputs": ["LVH", "AF"], "trained_on": [], "input": {"sampling_rate": 100}}

    def predict(self, batch):
        seen = np.abs(np.diff(batch.signals[:, 7, 100:120], 2)).sum(axis=1)
        return [[0.0, value] for value in seen]

    def embed(self, batch):
        return batch.signals.std(axis=2)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def plugin(places: Places) -> str:
    assert places.data is not None
    file = places.data.parent / "looker.py"
    file.write_text(LOOKER)
    return f"{file}:Looker"


@pytest.fixture(scope="module")
def folder(places: Places, plugin: str) -> Path:
    assert places.data is not None
    folder = places.data.parent / "run"
    options = RunOptions(
        folder, places, RunSettings(resamples=20), Hardware(), models=(plugin,), protocols=("as-is",)
    )
    assert not run(options, Reporter()).failed
    return folder


def leadboard(places: Places, *words: object) -> None:
    options = ["--data", str(places.data), "--cache", str(places.cache)]
    code = app([*map(str, words), *options], exit_on_error=False, result_action="return_value")
    assert code == 0


def test_the_place_is_found_drawn_and_tested(
    places: Places, plugin: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leadboard(places, "explain", folder, "looker", "georgia", "AF", "--record", "E00002", "--spec", plugin)
    said = capsys.readouterr().out
    assert "V2" in said
    assert "from 1.0 to 1.2 s" in said
    assert "the map holds" in said, said
    place = folder / "explanations/looker/as-is/georgia/AF"
    assert {path.name for path in place.iterdir()} == {
        "E00002.json",
        *(f"E00002-{name}.{kind}" for name in ("sheet", "occlusion", "deletion") for kind in ("svg", "png")),
    }
    found = json.loads((place / "E00002.json").read_text())
    assert found["scale"] == "score"
    assert list(found["maps"]) == ["occlusion"]
    importance = np.array(found["maps"]["occlusion"]["importance"])
    assert np.unravel_index(importance.argmax(), importance.shape) == (7, 5)
    away = np.delete(importance, 7, axis=0)
    assert np.abs(away).max() == 0
    table = pd.read_parquet(folder / "looker/as-is/georgia.parquet")
    assert found["score"] == pytest.approx(table.loc[table["record_id"] == "E00002", "AF"].item(), abs=1e-4)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["looker", "georgia", "LBBB", "--record", "E00002"], "no score for 'LBBB'"),
        (["looker", "georgia", "AF", "--record", "nobody"], "no usable record 'nobody'"),
        (["looker", "ludb", "AF", "--record", "1"], "Unknown cohort on which looker was evaluated"),
        (["other", "georgia", "AF", "--record", "E00002"], "Unknown model of this run"),
    ],
)
def test_what_is_not_there_is_said(
    places: Places, plugin: str, folder: Path, words: list[str], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        leadboard(places, "explain", folder, *words, "--spec", plugin)


@pytest.mark.parametrize("words", [("explain", "georgia", "AF", "--record", "E00002"), ("map",)])
def test_a_model_that_is_not_installed_has_to_be_shown(
    words: tuple[str, ...], places: Places, folder: Path
) -> None:
    command, *others = words
    with pytest.raises(UsageError, match="Unknown model 'looker': it is not installed; add --spec"):
        leadboard(places, command, folder, "looker", *others)


def test_another_model_by_the_same_name_explains_nothing(
    places: Places, folder: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "looker.py"
    changed.write_text(LOOKER.replace("[:, 7, 100:120]", "[:, 1, 200:220]"))
    with pytest.raises(LeadboardError, match=r"the score \d.* in the run: it is another model now"):
        leadboard(
            places,
            "explain",
            folder,
            "looker",
            "georgia",
            "AF",
            "--record",
            "E00002",
            "--spec",
            f"{changed}:Looker",
        )


GRADIENTS = (
    LOOKER.replace("Looker", "Shown").replace("looker", "shown")
    + """
    def explain(self, batch, concept):
        assert concept == "AF"
        saliency = batch.signals * 0
        saliency[:, {lead}, 100:120] = 1
        return saliency
"""
)


@pytest.mark.parametrize(("lead", "verdict"), [(7, "the map holds"), (3, "the map does not hold")])
def test_a_model_that_explains_itself_is_tested_too(
    lead: int, verdict: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shown.py"
    file.write_text(GRADIENTS.replace("{lead}", str(lead)))
    options = RunOptions(
        tmp_path / "run",
        places,
        RunSettings(resamples=20),
        Hardware(),
        models=(f"{file}:Shown",),
        cohorts=("georgia",),
        protocols=("as-is",),
    )
    assert not run(options, Reporter()).failed
    words = ["explain", tmp_path / "run", "shown", "georgia", "AF", "--record", "E00002"]
    leadboard(places, *words, "--spec", f"{file}:Shown")
    said = capsys.readouterr().out
    by = said[said.index("By gradients") :]
    assert f"the strongest part is {'V2' if lead == 7 else 'aVR'} from 1.0 to 1.2 s" in by
    assert verdict in by
    assert "the map holds" in said[: said.index("By gradients")]
    place = tmp_path / "run/explanations/shown/as-is/georgia/AF"
    maps = json.loads((place / "E00002.json").read_text())["maps"]
    assert list(maps) == ["occlusion", "gradients"]
    assert np.count_nonzero(maps["gradients"]["importance"]) == 1
    assert (place / "E00002-gradients.png").stat().st_size > 10_000


def test_the_hospitals_of_a_run_are_mapped(
    places: Places, plugin: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leadboard(places, "map", folder, "looker", "--concept", "AF", "--spec", plugin)
    said = capsys.readouterr().out
    assert "The hospital is told from the features of looker with an AUROC of" in said
    assert "georgia against the others" in said
    points = pd.read_csv(folder / "maps/looker/as-is/map.csv")
    assert list(points) == ["cohort", "AF", "x", "y"]
    assert points["cohort"].value_counts().to_dict() == {"ptb-xl": 120, "georgia": 40}
    assert (folder / "maps/looker/as-is/map.png").stat().st_size > 10_000


def test_a_concept_that_nobody_knows(places: Places, plugin: str, folder: Path) -> None:
    with pytest.raises(UsageError, match="Unknown concept 'NOTHING'"):
        leadboard(places, "map", folder, "looker", "--concept", "NOTHING", "--spec", plugin)
