"""The joint logistic regressions against scikit-learn, one at a time."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from benchmark.models.labels import prevalence
from benchmark.protocols import logistic
from benchmark.protocols.logistic import fit_logistic

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int8]


@pytest.fixture
def data() -> tuple[Floats, Labels]:
    """More features than records, as with MiniRocket; the second concept is partly not annotated."""
    rng = np.random.default_rng(4)
    features = rng.standard_normal((80, 120)).astype(np.float32)
    labels = (features[:, :3] + rng.standard_normal((80, 3)) > [0, 0.5, 99]).astype(np.int8)
    labels[::4, 1] = -1
    return features, labels


@pytest.mark.parametrize("strength", [10.0, 1.0])
def test_one_strength_gives_what_scikit_learn_gives(
    data: tuple[Floats, Labels], strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = data
    monkeypatch.setattr(logistic, "STRENGTHS", (strength,))
    weights, intercepts = fit_logistic(features, labels, features, labels)
    for concept in (0, 1):
        annotated = labels[:, concept] >= 0
        oracle = LogisticRegression(C=1 / (strength * annotated.sum()), tol=1e-8, max_iter=1000)
        oracle.fit(features[annotated].astype(np.float64), labels[annotated, concept])
        np.testing.assert_allclose(weights[:, concept], oracle.coef_[0], rtol=0, atol=2e-4)
        np.testing.assert_allclose(intercepts[concept], oracle.intercept_[0], rtol=0, atol=2e-3)


def test_records_that_are_not_annotated_take_no_part(data: tuple[Floats, Labels]) -> None:
    features, labels = data
    changed = features.copy()
    changed[::4] = 7
    only = labels[:, 1:2]
    before = fit_logistic(features, only, features, only)
    after = fit_logistic(changed, only, changed, only)
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_a_single_class_keeps_its_prevalence(data: tuple[Floats, Labels]) -> None:
    features, labels = data
    weights, intercepts = fit_logistic(features, labels, features, labels)
    assert not weights[:, 2].any()
    assert weights[:, 0].any()
    np.testing.assert_allclose(intercepts[2], logit(prevalence(labels))[2], rtol=1e-6)


def test_nothing_to_fit_is_no_error(data: tuple[Floats, Labels], caplog: pytest.LogCaptureFixture) -> None:
    features, labels = data
    with caplog.at_level(logging.INFO, logger="leadboard"):
        weights, intercepts = fit_logistic(features, labels[:, 2:], features, labels[:, 2:])
    (said,) = caplog.messages
    assert said.startswith("logistic regression: None of the 1 concept has both a positive and a negative")
    assert not weights.any()
    assert intercepts.shape == (1,)


def test_validation_records_choose_the_strength(data: tuple[Floats, Labels]) -> None:
    """Where nothing can be learnt they prefer the strongest, where everything can a weak one."""
    features, labels = data
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((500, 120)).astype(np.float32)
    coins = rng.integers(0, 2, (500, 1)).astype(np.int8)
    held_back = fit_logistic(features, labels[:, :1], noise, coins)
    let_go = fit_logistic(features, labels[:, :1], features, labels[:, :1])
    assert np.abs(held_back[0]).sum() < 0.1 * np.abs(let_go[0]).sum()


def test_a_concept_without_validation_labels_is_no_error(data: tuple[Floats, Labels]) -> None:
    features, labels = data
    weights, _ = fit_logistic(features, labels, features, np.full_like(labels, -1))
    assert np.isfinite(weights).all()


def test_the_loss_of_a_concept_is_over_its_annotated_records() -> None:
    logits = torch.tensor([[0.0, 3.0], [2.0, -1.0]])
    labels = torch.tensor([[1, -1], [-1, -1]], dtype=torch.int8)
    losses = logistic._losses(logits, labels)
    np.testing.assert_allclose(losses, [np.log(2), 0])
