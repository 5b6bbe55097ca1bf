"""The two controls compute what they say they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from baselines.controls import AgeSex, Prevalence, design
from benchmark.models.contract import Batch, FitSettings
from tests.baselines.fakes import CONCEPTS, FakeRecords


def test_prevalence_is_the_share_of_positives_among_the_annotated(tmp_path: Path) -> None:
    model = Prevalence()
    training = FakeRecords(50, 1, model.card.input)
    model.fit(training, training, FitSettings(("LBBB", "AF"), 0, "cpu", tmp_path))
    scores = model.predict(FakeRecords(9, 2, model.card.input).everything)
    labels = training.labels[["LBBB", "AF"]].to_numpy()
    expected = [np.mean(column[column >= 0]) for column in labels.T]
    np.testing.assert_array_equal(scores, np.tile(np.float32(expected), (9, 1)))
    assert roc_auc_score([0, 1, 0, 1, 0, 1, 0, 1, 1], scores[:, 0]) == 0.5


@pytest.fixture(scope="module")
def age_sex(tmp_path_factory: pytest.TempPathFactory) -> AgeSex:
    model = AgeSex()
    training = FakeRecords(400, 1, model.card.input)
    model.fit(training, training, FitSettings(CONCEPTS, 0, "cpu", tmp_path_factory.mktemp("fit")))
    return model


def test_age_sex_finds_what_age_tells_and_nothing_else(age_sex: AgeSex) -> None:
    others = FakeRecords(400, 2, age_sex.card.input)
    scores = age_sex.predict(others.everything)
    assert roc_auc_score(others.truth[:, 2], scores[:, 2]) > 0.9
    assert roc_auc_score(others.truth[:, 0], scores[:, 0]) < 0.6


def test_age_sex_does_not_look_at_the_signal(age_sex: AgeSex) -> None:
    batch = FakeRecords(20, 2, age_sex.card.input).everything
    silent = Batch(np.zeros_like(batch.signals), batch.age, batch.sex)
    np.testing.assert_array_equal(age_sex.predict(silent), age_sex.predict(batch))


def test_unannotated_records_take_no_part(tmp_path: Path) -> None:
    model = AgeSex()
    training = FakeRecords(80, 1, model.card.input)
    annotated = (training.labels["OLD"] >= 0).to_numpy()
    model.fit(training, training, FitSettings(("OLD",), 0, "cpu", tmp_path))
    whole = model.predict(training.everything)
    changed = Batch(
        training.everything.signals,
        np.where(annotated, training.everything.age, np.float32(5)),
        np.where(annotated, training.everything.sex, "male"),
    )
    training.everything = changed
    again = AgeSex()
    again.fit(training, training, FitSettings(("OLD",), 0, "cpu", tmp_path))
    np.testing.assert_array_equal(again.predict(changed)[annotated], whole[annotated])


def test_the_design_of_people() -> None:
    age = np.array([50, np.nan, np.inf, -3, 300, 0], dtype=np.float32)
    sex = np.array(["female", "male", "", "M", "female", "male"])
    np.testing.assert_allclose(
        design(age, sex),
        [
            [5, 2, 0.5, 0, 0, 0, 1, 0, 0],
            [0, 0, 0, 0, 0, 1, 0, 1, 0],
            [0, 0, 0, 0, 0, 1, 0, 0, 1],
            [0, 0, 0, 0, 0, 1, 0, 0, 1],
            [11, 8, 6.5, 5, 3.5, 0, 1, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 1, 0],
        ],
    )
