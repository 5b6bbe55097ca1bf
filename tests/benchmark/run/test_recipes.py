"""A recipe reaches the model, and stands in the key, in the weights' facts and in the record."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import app
from benchmark.config import Places
from benchmark.models.plugins import find_model
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.recipes import complete_recipe, read_recipe
from benchmark.records.naming import find_cell
from benchmark.run.reopening import reopen
from cohorts.errors import ModelError, UsageError
from tests.benchmark.tiny_run import make_places

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
ADJUSTED, FOUNDATION = (f"{PLUGINS / 'foundation.py'}:{name}" for name in ("Adjusted", "Foundation"))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


def leadboard(places: Places, *words: object) -> int:
    options = ["--data", str(places.data), "--cache", str(places.cache)]
    code: int = app([*map(str, words), *options], exit_on_error=False, result_action="return_value")
    return code


def slopes(places: Places) -> dict[float, float]:
    """Belief of the recipe -> slope that was learnt, of every pre-training that there is."""
    found = {}
    for folder in (places.cache / "models/adjusted").glob("pretrained-*"):
        facts = json.loads((folder / "made.json").read_text())
        found[facts["pretraining"]["recipe"]["belief"]] = json.loads(
            (folder / "weights/model.json").read_text()
        )["slope"]
    return found


def test_a_recipe_is_followed_kept_apart_and_recorded(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("belief = 0.5\n")
    assert leadboard(places, "pretrain", ADJUSTED) == 0
    assert leadboard(places, "pretrain", ADJUSTED, "--recipe", recipe) == 0
    learnt = slopes(places)
    assert learnt.keys() == {1.0, 0.5}
    assert learnt[0.5] == pytest.approx(learnt[1.0] / 2)
    assert learnt[0.5] != 0
    recipe.write_text("belief = 1.0  # what it is anyway\n")
    capsys.readouterr()
    assert leadboard(places, "pretrain", ADJUSTED, "--recipe", recipe) == 0
    assert "pre-trained already" in capsys.readouterr().out

    recipe.write_text("belief = 0.5\n")
    common = ("--model", ADJUSTED, "--protocol", "zero-shot", "--cohort", "georgia", "--resamples", 20)
    assert leadboard(places, "run", *common, "--out", tmp_path / "run", "--recipe", recipe) == 0
    record = find_cell(tmp_path / "run", "adjusted", "georgia")
    assert record.pretraining is not None
    assert record.pretraining.recipe == {"belief": 0.5}
    again = reopen(record, ADJUSTED, places, Hardware(), Reporter())
    assert again.model.base is not None
    assert again.model.base.key == record.pretraining.key

    recipe.write_text("belief = 0.25\n")
    with pytest.raises(UsageError, match=r"weights not found.*leadboard pretrain .* --recipe FILE"):
        leadboard(places, "run", *common, "--out", tmp_path / "other", "--recipe", recipe)


@pytest.mark.parametrize(
    ("spec", "text", "error", "said"),
    [
        (ADJUSTED, "beleif = 1\n", ModelError, "no beleif here, only belief"),
        (FOUNDATION, "belief = 1\n", UsageError, "foundation takes no recipe"),
        (ADJUSTED, "belief = \n", UsageError, "recipe.toml is not valid TOML"),
    ],
)
def test_what_is_no_recipe_of_a_model_is_refused_before_anything_is_done(
    spec: str, text: str, error: type[Exception], said: str, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text)
    nowhere = Places(tmp_path, tmp_path / "cache")
    with pytest.raises(error, match=said):
        leadboard(nowhere, "pretrain", spec, "--recipe", recipe)
    assert not (tmp_path / "cache").exists()


def test_a_recipe_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name, said in (("bytes.toml", "is not valid TOML"), ("none.toml", "No recipe of at most 256 kB")):
        with pytest.raises(UsageError, match=said):
            read_recipe(tmp_path / name)
    assert read_recipe(None) == {}


@pytest.mark.parametrize("value", [date(2026, 1, 1), float("nan"), {1, 2}])
def test_a_recipe_that_cannot_be_written_down_is_refused(value: Any) -> None:
    source = find_model(ADJUSTED)
    with pytest.raises(ModelError, match="complete_recipe gives no table of plain values"):
        complete_recipe(source, {"belief": value})
    assert complete_recipe(find_model(FOUNDATION), {}) == {}
