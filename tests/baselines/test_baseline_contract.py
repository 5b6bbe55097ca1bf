"""What all light baselines promise, checked in the same way for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from baselines.cart.model import Cart
from baselines.controls import AgeSex, Prevalence
from baselines.minirocket.model import MiniRocket
from baselines.supervised import ResNet1d
from benchmark.models.cards import card_of
from benchmark.models.contract import Batch, FitSettings, Floats, Model, Trainable
from cohorts.errors import ModelError
from tests.baselines.fakes import CONCEPTS, FakeRecords, take

BASELINES: dict[str, Callable[[], Any]] = {
    "prevalence": Prevalence,
    "age-sex": AgeSex,
    "minirocket": MiniRocket,
    "resnet1d": lambda: ResNet1d(device="cpu", epochs=1),
    "cart": Cart,
}
# Scores are float32; what a different order of summation may change.
ROUNDING = 2e-6
TRAINING = 24


def fitted(name: str, folder: Path, seed: int = 5) -> tuple[Any, FakeRecords]:
    model = BASELINES[name]()
    spec = card_of(model).input
    training, validation = FakeRecords(TRAINING, 1, spec), FakeRecords(12, 2, spec)
    model.fit(training, validation, FitSettings(CONCEPTS, seed, "cpu", folder))
    return model, FakeRecords(35, 3, spec)


class Trained(NamedTuple):
    """A model, records that it has not seen, and its scores of them."""

    model: Any
    batch: Batch
    scores: Floats


@pytest.fixture(scope="module", params=BASELINES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    model, others = fitted(request.param, tmp_path_factory.mktemp("fit"))
    return Trained(model, others.everything, model.predict(others.everything))


def some(batch: Batch) -> Batch:
    """As many records as show what does not depend on their number."""
    return take(batch, np.arange(4))


@pytest.mark.parametrize("name", BASELINES)
def test_an_untrained_model_has_a_valid_card_and_nothing_to_say(name: str, tmp_path: Path) -> None:
    model = BASELINES[name]()
    card = card_of(model)
    assert isinstance(model, Model)
    assert isinstance(model, Trainable)
    assert (card.name, card.outputs, card.trained_on, card.probabilities) == (name, (), (), True)
    assert card.description
    assert card.licence
    with pytest.raises(ModelError, match="has not been trained"):
        model.predict(FakeRecords(1, 1, card.input).everything)
    with pytest.raises(ModelError, match="has not been trained"):
        model.save(tmp_path)


def test_scores_are_probabilities_in_the_order_of_the_card(trained: Trained) -> None:
    model, batch, scores = trained
    assert card_of(model).outputs == CONCEPTS
    assert card_of(model).trained_on == ()
    assert scores.dtype == np.float32
    assert scores.shape == (len(batch), len(CONCEPTS))
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_concept_without_positives_is_rare_everywhere(trained: Trained) -> None:
    never = int((FakeRecords(TRAINING, 1, card_of(trained.model).input).labels["PACE"] == 0).sum())
    assert never < TRAINING
    np.testing.assert_allclose(trained.scores[:, 3], 1 / (never + 2), rtol=1e-5)


@pytest.mark.parametrize("size", [1, 32])
def test_the_batch_does_not_change_a_score(trained: Trained, size: int) -> None:
    model, batch, together = trained
    backwards = np.arange(len(batch))[::-1]
    parts = [model.predict(take(batch, rows)) for rows in np.split(backwards, range(size, len(batch), size))]
    np.testing.assert_allclose(np.concatenate(parts)[backwards], together, rtol=0, atol=ROUNDING)


def test_earlier_batches_leave_no_trace(trained: Trained) -> None:
    model, batch, before = trained
    model.predict(Batch(batch.signals * 100 + 3, batch.age + 1, batch.sex))
    np.testing.assert_array_equal(model.predict(batch), before)


def test_the_input_is_left_alone(trained: Trained) -> None:
    model, batch = trained.model, some(trained.batch)
    mine = Batch(batch.signals.copy(), batch.age.copy(), batch.sex.copy())
    model.predict(mine)
    np.testing.assert_array_equal(mine.signals, batch.signals)
    np.testing.assert_array_equal(mine.age, batch.age)
    np.testing.assert_array_equal(mine.sex, batch.sex)


@pytest.mark.parametrize("level", [0.0, 1.0, -32.768, 1e6])
def test_a_flat_signal_gets_finite_scores(trained: Trained, level: float) -> None:
    model, batch = trained.model, some(trained.batch)
    flat = Batch(np.full_like(batch.signals, level), batch.age, batch.sex)
    assert np.isfinite(model.predict(flat)).all()


def test_nobody_needs_an_age_or_a_sex(trained: Trained) -> None:
    model, batch = trained.model, some(trained.batch)
    unknown = Batch(batch.signals, np.full_like(batch.age, np.nan), np.full_like(batch.sex, ""))
    scores = model.predict(unknown)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_saved_model_is_the_same_model(trained: Trained, tmp_path: Path) -> None:
    model, batch, scores = trained
    model.save(tmp_path)
    again = BASELINES[card_of(model).name]()
    again.load(tmp_path)
    assert card_of(again) == card_of(model)
    np.testing.assert_array_equal(again.predict(batch), scores)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "another"])
def test_a_damaged_folder_is_refused_in_one_sentence(trained: Trained, damage: str, tmp_path: Path) -> None:
    model = trained.model
    model.save(tmp_path)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "another":
        other = next(name for name in ("prevalence", "age-sex") if name != card_of(model).name)
        fitted(other, tmp_path)[0].save(tmp_path)
    else:
        damages = {"empty": b"", "cut": content[: len(content) // 2], "text": b"{}\n" * 9}
        file.write_bytes(damages[damage])
    again = BASELINES[card_of(model).name]()
    with pytest.raises(ModelError, match=r"train .* again\.$") as caught:
        again.load(tmp_path)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert card_of(again).outputs == ()


def test_the_seed_is_the_only_source_of_randomness(trained: Trained, tmp_path: Path) -> None:
    """Whatever the state of the global generators."""
    name, scores = card_of(trained.model).name, {}
    for seed in (5, 6):
        np.random.seed(seed)  # noqa: NPY002
        (tmp_path / str(seed)).mkdir()
        scores[seed] = fitted(name, tmp_path / str(seed), seed)[0].predict(trained.batch)
    np.testing.assert_array_equal(trained.scores, scores[5])
    drawn = name in ("minirocket", "resnet1d")
    assert np.array_equal(scores[5], scores[6]) != drawn


@pytest.mark.parametrize("name", BASELINES)
def test_nothing_to_learn_from_is_said(name: str, tmp_path: Path) -> None:
    model = BASELINES[name]()
    spec = card_of(model).input
    some, none = FakeRecords(4, 1, spec), FakeRecords(0, 1, spec)
    with pytest.raises(ModelError, match="no training records"):
        model.fit(none, some, FitSettings(CONCEPTS, 0, "cpu", tmp_path))
    with pytest.raises(ModelError, match="no training concepts"):
        model.fit(some, some, FitSettings((), 0, "cpu", tmp_path))


def test_reading_a_card_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from baselines.cart.model import Cart\n"
        "from baselines.controls import AgeSex, Prevalence\n"
        "from baselines.minirocket.model import MiniRocket\n"
        "from baselines.supervised import S4, Inception1d, ResNet1d, ResNet1dRandom, S4Random, XResNet1d101\n"
        "for made in (Cart, Prevalence, AgeSex, MiniRocket, ResNet1d, ResNet1dRandom, S4, Inception1d,\n"
        "             S4Random, XResNet1d101):\n"
        "    made().card\n"
        "print({'torch', 'sklearn', 'numba', 'pytorch_lightning'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
