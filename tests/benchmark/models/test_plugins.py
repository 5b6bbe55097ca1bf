"""Models are found by three kinds of names, and a wrong or broken one says what is wrong with it."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from benchmark.models import plugins
from benchmark.models.cards import check_outputs
from benchmark.models.contract import Batch
from benchmark.models.guard import guarded
from benchmark.models.model_card import ModelCard
from benchmark.models.plugins import find_model, installed_models
from benchmark.models.worker.environments import Interpreter, WorkerEnvironment
from benchmark.protocols.inference import checked_scores
from cohorts.errors import LeadboardError, ModelError, UnknownNameError, UsageError

PLUGINS = Path(__file__).parents[2] / "plugins"


def batch(records: int = 4) -> Batch:
    return Batch(
        np.zeros((records, 2, 500), dtype=np.float32),
        np.full(records, np.nan, dtype=np.float32),
        np.full(records, ""),
    )


def test_the_four_baselines_are_installed() -> None:
    assert {"prevalence", "age-sex", "minirocket", "resnet1d"} <= set(installed_models())


def test_file_reference() -> None:
    source = find_model(f"{PLUGINS / 'good.py'}:Amplitude")
    assert source.card.name == "amplitude"
    assert source.card.outputs == ("AF", "LVH")
    assert source.card.input.samples == 500
    assert source.abilities == frozenset()
    assert source.build("cpu").predict(batch()).shape == (4, 2)


def test_module_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS.parent))
    assert find_model("plugins.good:Amplitude").card.name == "amplitude"


def test_code_hash_follows_the_file(tmp_path: Path) -> None:
    text = (PLUGINS / "good.py").read_text()
    paths = [tmp_path / name for name in ("a/m.py", "b/m.py", "c/m.py")]
    for path, content in zip(paths, [text, text, text + "\n# changed\n"], strict=True):
        path.parent.mkdir()
        path.write_text(content)
    first, same, changed = (find_model(f"{path}:Amplitude").code_hash for path in paths)
    assert first == same != changed


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("resnt1d", UnknownNameError, "Did you mean 'resnet1d'"),
        ("nowhere/model.py:Model", UsageError, "No file"),
        (str(PLUGINS / "good.py"), UsageError, r"names a file and no class; write .*good\.py:Amplitude"),
        ("nowhere/model.py", UsageError, r"No file .*/nowhere/model\.py; check the path"),
        (str(PLUGINS), UsageError, r"plugins' is a folder; name the model in it as path/to/file\.py:Class"),
        (
            f"{PLUGINS / 'good.py'}:Nothing",
            UsageError,
            r"/good\.py has no class 'Nothing'\. It has .*Amplitude",
        ),
        (f"{PLUGINS / 'good.py'}:amplitude", UsageError, r"'amplitude'\. Did you mean 'Amplitude'\?"),
        (f"{PLUGINS / 'good.py'}:", UsageError, "names no class"),
        ("no_such_package_at_all.models:Model", UsageError, "No package"),
        (f"{PLUGINS / 'bad.py'}:NoCard", ModelError, "has no 'card'; a model has both"),
        (f"{PLUGINS / 'bad.py'}:BadCard", ModelError, "name"),
        (f"{PLUGINS / 'bad.py'}:RaisesOnBuild", ModelError, "OSError"),
    ],
)
def test_wrong_references_say_what_is_wrong(spec: str, error: type[LeadboardError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        find_model(spec)
    assert "\n" not in str(caught.value)


def test_syntax_errors_and_missing_imports_are_model_errors(tmp_path: Path) -> None:
    (tmp_path / "syntax.py").write_text("def broken(:\n")
    (tmp_path / "imports.py").write_text("import a_package_that_is_not_there\n")
    for name in ("syntax", "imports"):
        with pytest.raises(ModelError, match=f"Importing {name}.py raised"):
            find_model(f"{tmp_path / name}.py:Model")


def test_a_broken_installed_plugin_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_package_at_all.models:Model", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [broken])
    with pytest.raises(ModelError, match="no_such_package_at_all"):
        find_model("broken")


def card() -> ModelCard:
    return ModelCard(name="m", outputs=("AF", "LVH"), trained_on=())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("WrongShape", r"shape \(4, 3\); the card promises \(4, 2\)"),
        ("Nan", "8 NaN or infinite scores"),
        ("Text", "instead of real numbers"),
        ("Raises", "ZeroDivisionError at bad.py"),
        ("Exits", "SystemExit"),
    ],
)
def test_bad_answers_name_the_fault(name: str, words: str) -> None:
    model = find_model(f"{PLUGINS / 'bad.py'}:{name}").build("cpu")
    with pytest.raises(ModelError, match=words) as caught:
        checked_scores(guarded("bad.predict", lambda: model.predict(batch())), len(batch()), card())
    assert "\n" not in str(caught.value)


def test_scores_are_not_silently_overflowed_to_infinity() -> None:
    with pytest.raises(ModelError, match="infinite"):
        checked_scores(np.full((4, 2), 1e300), len(batch()), card())


def test_outputs_must_be_concepts() -> None:
    with pytest.raises(ModelError, match="GOUT"):
        check_outputs(find_model(f"{PLUGINS / 'bad.py'}:UnknownOutput").card, ["AF", "LVH"])


BARE = "class Model:\n    def predict(self, batch):\n        return batch.signals.std(axis=2)[:, :1]\n"
CARD = "name: beside\nversion: 1.10\noutputs: [AF]\ntrained_on: [ptb-xl]\ninput: {sampling_rate: 250}\n"


@pytest.mark.parametrize("environment", [None, WorkerEnvironment(Interpreter(sys.executable))])
def test_a_card_may_lie_beside_the_file(tmp_path: Path, environment: WorkerEnvironment | None) -> None:
    (tmp_path / "model.py").write_text(BARE)
    spec = f"{tmp_path / 'model.py'}:Model"
    with pytest.raises(ModelError, match="has no 'card'"):
        find_model(spec, environment)
    (tmp_path / "card.yaml").write_text(CARD)
    source = find_model(spec, environment)
    assert (source.card.name, source.card.version, source.card.outputs) == ("beside", "1.10", ("AF",))
    assert source.card.trained_on == ("ptb-xl",)
    assert source.card.input.sampling_rate == 250
    assert source.build("cpu").card is not None
    (tmp_path / "card.yaml").write_text(CARD + "author: me\n")
    with pytest.raises(ModelError, match="author is no field of it"):
        find_model(spec, environment)
