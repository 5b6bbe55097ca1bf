"""A trained model is made once, kept whole, and found again only by what made it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.models.contract import FitSettings
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.artifacts import Artifact
from benchmark.protocols.training import learnable_concepts, load_trained, plan_training, train
from cohorts.catalogue import open_cohort
from cohorts.errors import LeadboardError, ModelError, UsageError
from cohorts.preparing import prepare
from cohorts.store import Store, rows_of
from tests.releases import write_challenge, write_ptb_xl

FITS: list[int] = []


class Mean:
    """Learns the mean label, and leaves a trace of every fit."""

    def __init__(self) -> None:
        self.card = ModelCard(name="mean", outputs=(), trained_on=(), input=InputSpec(seconds=1))
        self.values = np.zeros(0)

    def fit(self, training: Any, validation: Any, settings: FitSettings) -> None:
        FITS.append(len(training))
        self.values = np.array([(training.labels[c] == 1).mean() for c in settings.concepts])
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Any) -> Any:
        return np.tile(self.values, (len(batch), 1))

    def save(self, folder: Path) -> None:
        np.save(folder / "values.npy", self.values)

    def load(self, folder: Path) -> None:
        self.values = np.load(folder / "values.npy", allow_pickle=False)


class Forgetful(Mean):
    def fit(self, training: Any, validation: Any, settings: FitSettings) -> None:
        """Leave the card as it was."""


class Breaking(Mean):
    def fit(self, training: Any, validation: Any, settings: FitSettings) -> None:
        (settings.folder / "checkpoint").write_text("half way")
        raise RuntimeError("loss is NaN")


def source(model_class: type[Mean], code: str = "0" * 64) -> ModelSource:
    return ModelSource(model_class.__name__, model_class, code, model_class().card, frozenset({"Trainable"}))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root)
    cohort = open_cohort("ptb-xl", root)
    assert cohort is not None
    return prepare(cohort, tmp_path_factory.mktemp("cache"))


def test_folds_are_disjoint_in_patients(store: Store) -> None:
    patients = [
        set(store.index["patient_id"].iloc[rows_of(store, part)])
        for part in ("training", "validation", "test")
    ]
    assert all(patients)
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    assert set(store.index["fold"].iloc[rows_of(store, "training")]) == set(range(1, 9))


def test_only_concepts_with_both_classes_are_learnt(store: Store, tmp_path: Path) -> None:
    plan = plan_training(source(Mean), store, tmp_path, seed=0)
    labels = store.labels.iloc[rows_of(store, "training")]
    assert {"AF", "LVH", "NORM"} <= set(plan.concepts)
    for concept in labels.columns:
        both = (labels[concept] == 1).any() and (labels[concept] == 0).any()
        assert (concept in plan.concepts) == both
    assert plan.card.trained_on == ("ptb-xl",)


def test_a_concept_with_one_class_is_not_learnt() -> None:
    table = pd.DataFrame({"AF": [1, 0, -1], "LVH": [1, 1, -1], "AFL": [0, 0, -1], "SB": [-1, -1, -1]})
    folds = SimpleNamespace(training=(1,), validation=(2,))
    index = pd.DataFrame({"fold": pd.Series([1, 1, 2], dtype="Int64")})
    store = SimpleNamespace(card=SimpleNamespace(id="x", folds=folds), labels=table, index=index)
    assert learnable_concepts(store) == ("AF",)  # type: ignore[arg-type]


def test_trained_once_and_found_again(store: Store, tmp_path: Path) -> None:
    FITS.clear()
    plan = plan_training(source(Mean), store, tmp_path, seed=0)
    assert not plan.artifact.done
    train(plan, "cpu")
    train(plan_training(source(Mean), store, tmp_path, seed=0), "cpu")
    assert [len(rows_of(store, "training"))] == FITS
    model, digest = load_trained(plan, "cpu")
    training = plan.artifact.read()[0].training
    assert training is not None
    assert training.records == FITS[0]
    assert len(digest) == 64
    assert model.predict([0, 1]).shape == (2, len(plan.concepts))
    assert not (plan.artifact.folder / "unfinished").exists()


def test_the_key_follows_everything_that_makes_a_model(store: Store, tmp_path: Path) -> None:
    base = plan_training(source(Mean), store, tmp_path, seed=0)
    others = [
        plan_training(source(Mean), store, tmp_path, seed=1),
        plan_training(source(Mean, code="1" * 64), store, tmp_path, seed=0),
        plan_training(
            replace(source(Mean), card=Mean().card.model_copy(update={"input": InputSpec(seconds=2)})),
            store,
            tmp_path,
            0,
        ),
    ]
    assert len({plan.key for plan in [base, *others]}) == 4
    assert base.key == plan_training(source(Mean), store, tmp_path / "elsewhere", seed=0).key


def test_a_failed_training_leaves_its_checkpoints_and_no_model(store: Store, tmp_path: Path) -> None:
    plan = plan_training(source(Breaking), store, tmp_path, seed=0)
    with pytest.raises(ModelError, match="loss is NaN"):
        train(plan, "cpu")
    assert not plan.artifact.done
    assert (plan.artifact.folder / "unfinished" / "checkpoint").is_file()


def test_what_killed_trainings_have_left_is_swept(store: Store, tmp_path: Path) -> None:
    plan = plan_training(source(Mean), store, tmp_path, seed=0)
    for left in (".weights.abcdefgh", "weights", "unfinished"):
        (plan.artifact.folder / left).mkdir(parents=True)
        (plan.artifact.folder / left / "half").write_text("x")
    (plan.artifact.folder / ".made.json.abcdefgh.part").write_text("{")
    train(plan, "cpu")
    load_trained(plan, "cpu")
    assert {path.name for path in plan.artifact.folder.iterdir()} == {".lock", "made.json", "weights"}
    assert [path.name for path in plan.artifact.weights.iterdir()] == ["values.npy"]


def test_outputs_must_be_what_was_to_be_learnt(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="other outputs"):
        train(plan_training(source(Forgetful), store, tmp_path, seed=0), "cpu")


def overwrite(artifact: Artifact) -> None:
    np.save(artifact.weights / "values.npy", np.ones(3))


def cut_the_note(artifact: Artifact) -> None:
    note = artifact.folder / "made.json"
    note.write_text(note.read_text()[:50])


def replace_the_note(artifact: Artifact) -> None:
    (artifact.folder / "made.json").write_text('{"card": 1}')


def remove_the_weights(artifact: Artifact) -> None:
    shutil.rmtree(artifact.weights)


@pytest.mark.parametrize("damage", [overwrite, cut_the_note, replace_the_note, remove_the_weights])
def test_damaged_weights_are_made_again_and_that_is_said(
    damage: Callable[[Artifact], None], store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_training(source(Mean), store, tmp_path, seed=0)
    train(plan, "cpu")
    sha256 = load_trained(plan, "cpu")[1]
    damage(plan.artifact)
    with pytest.raises(LeadboardError, match=r"damaged|not those that were saved"):
        load_trained(plan, "cpu")
    assert not plan.artifact.is_whole()
    assert re.search(r"The weights in .+ are .+; they are made again\.", caplog.text)
    train(plan, "cpu")
    assert plan.artifact.is_whole()
    assert load_trained(plan, "cpu")[1] == sha256


def test_a_cohort_without_folds_cannot_be_a_source(tmp_path: Path) -> None:
    write_challenge(tmp_path)
    cohort = open_cohort("georgia", tmp_path)
    assert cohort is not None
    with pytest.raises(UsageError, match="no published folds"):
        plan_training(source(Mean), prepare(cohort, tmp_path / "cache"), tmp_path, seed=0)
