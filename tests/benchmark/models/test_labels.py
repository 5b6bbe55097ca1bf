"""Labels as the baselines see them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from baselines.controls import Prevalence
from benchmark.models.cards import card_of
from benchmark.models.labels import learnable, macro_auroc, prevalence, targets
from benchmark.models.model_card import InputSpec
from cohorts.errors import ModelError
from tests.baselines.fakes import FakeRecords

LABELS = np.array([[1, 1, 0, -1], [0, 1, 0, -1], [0, -1, 0, -1], [-1, 1, 0, -1]], dtype=np.int8)


def test_only_annotated_records_count() -> None:
    np.testing.assert_array_equal(learnable(LABELS), [True, False, False, False])
    np.testing.assert_allclose(prevalence(LABELS), [1 / 3, 4 / 5, 1 / 6, 1 / 2])


def test_the_macro_auroc_leaves_out_what_is_undefined() -> None:
    scores = np.array([[0.9, 0.1, 0.1, 0.1], [0.1, 0.2, 0.2, 0.2], [0.95, 0.3, 0.3, 0.3], [2, 0.4, 0.4, 0.4]])
    assert macro_auroc(LABELS, scores) == 0.5
    assert macro_auroc(LABELS[:, 1:], scores[:, 1:]) is None


def test_the_macro_auroc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(-1, 2, (60, 5)).astype(np.int8)
    scores = rng.normal(size=(60, 5)).round(1).astype(np.float32)  # with ties
    expected = [
        roc_auc_score(truth[truth >= 0], found[truth >= 0])
        for truth, found in zip(labels.T, scores.T, strict=True)
    ]
    assert macro_auroc(labels, scores) == pytest.approx(np.mean(expected), abs=1e-12)
    scores[3, 2] = np.nan
    labels[3, 2] = 1
    with pytest.raises(ValueError, match="nan"):
        macro_auroc(labels, scores)


def test_targets_are_a_copy_of_the_chosen_columns_in_their_order() -> None:
    records = FakeRecords(5, 1, InputSpec(leads=("I",), seconds=1))
    labels = targets(records, ("OLD", "AF"))
    np.testing.assert_array_equal(labels, records.labels[["OLD", "AF"]])
    labels[:] = -1
    assert (records.labels >= 0).any().all()


def test_missing_validation_records_are_named() -> None:
    with pytest.raises(ModelError, match="no validation records"):
        targets(FakeRecords(0, 1, card_of(Prevalence()).input), ("AF",), "validation")
