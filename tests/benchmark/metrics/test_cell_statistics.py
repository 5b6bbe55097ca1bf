"""What a record says beside AUROC and AUPRC, against scikit-learn, scipy and sums by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from benchmark.metrics.cell.calibration import Calibration, calibration
from benchmark.metrics.cell.evaluation import Evaluation, evaluate
from benchmark.metrics.cell.operating_points import Thresholds, concept_thresholds, no_thresholds
from benchmark.metrics.cell.statistics import REFERENCE_PREVALENCE, CellStatistics, cell_statistics
from benchmark.metrics.cell.subgroups import usual_members
from tests.benchmark.metrics.draws import counts_of

RECORDS = 500


def cohort(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Labels, probabilities and the index of a cohort; WPW has three positives."""
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame({name: rng.random(RECORDS) < p for name, p in (("AF", 0.2), ("SB", 0.4))}).astype(
        np.int8
    )
    truth["WPW"] = np.int8(0)
    truth.loc[:2, "WPW"] = 1
    truth.loc[400:420, "AF"] = -1
    logits = 2 * (truth == 1) - 1.5 + rng.normal(size=truth.shape)
    index = pd.DataFrame(
        {
            "sex": rng.choice(["female", "male", None], RECORDS, p=[0.5, 0.45, 0.05]),
            "age": rng.uniform(20, 95, RECORDS),
            "patient_id": pd.NA,
        }
    )
    return truth, (1 / (1 + np.exp(-logits))).astype(np.float32), index


def measured(**changes: Any) -> tuple[CellStatistics, Evaluation]:
    labels, scores, index = cohort()
    fits = changes.pop("fits", [scores])
    patients = changes.pop("patients", None)
    evaluation = evaluate(labels, fits, patients, resamples=300)
    facts: dict[str, Any] = {
        "probabilities": True,
        "thresholds": no_thresholds("none here"),
        "members": usual_members(index),
    }
    return cell_statistics(labels, fits, patients, evaluation, **(facts | changes)), evaluation


def chosen_elsewhere() -> Thresholds:
    labels, scores, _ = cohort(seed=1)
    return Thresholds(source="ptb-xl", concepts=concept_thresholds(labels, scores))


def test_only_eligible_concepts_and_strict_json() -> None:
    found, _ = measured(thresholds=chosen_elsewhere())
    assert list(found.concepts) == list(found.calls) == ["AF", "SB"]
    text = found.model_dump_json()
    assert CellStatistics.model_validate_json(text) == found
    assert "NaN" not in text
    assert json.loads(text)["reference_prevalence"] == REFERENCE_PREVALENCE == 0.1


def test_auprc_at_the_reference_prevalence_is_that_of_weighted_records() -> None:
    labels, scores, _ = cohort()
    found, _ = measured()
    for name, one in found.concepts.items():
        known = labels[name] >= 0
        truth = labels[name][known] == 1
        weights = np.where(truth, 0.1 / truth.sum(), 0.9 / (~truth).sum())
        expected = average_precision_score(truth, scores[name][known], sample_weight=weights)
        assert one.auprc_at_reference.value == pytest.approx(expected)
        low, high = one.auprc_at_reference.interval or (1, 0)
        assert low < expected < high
    each = [one.auprc_at_reference.value or 0 for one in found.concepts.values()]
    assert found.macro_auprc_at_reference.value == pytest.approx(np.mean(each))


def test_delong_is_about_the_bootstrap_and_wider_with_patients() -> None:
    alone, evaluation = measured()
    for name, one in alone.concepts.items():
        drawn = evaluation.concepts[name].auroc
        assert one.delong.value == pytest.approx(drawn.value)
        assert [one.delong.low, one.delong.high] == pytest.approx([drawn.low, drawn.high], abs=0.02)
    labels, scores, _ = cohort()
    twice = cell_statistics(
        pd.concat([labels, labels], ignore_index=True),
        [pd.concat([scores, scores], ignore_index=True)],
        pd.Series(np.tile(np.arange(RECORDS), 2)),
        evaluation,
        probabilities=False,
        thresholds=no_thresholds(""),
        members={},
    )
    for name, one in twice.concepts.items():  # each patient twice is no more than each patient once
        assert one.delong.low == pytest.approx(alone.concepts[name].delong.low, abs=1e-4)


def test_calibration_agrees_with_scikit_learn() -> None:
    labels, scores, _ = cohort()
    found, _ = measured()
    assert found.calibration is not None
    for name, one in found.calibration.concepts.items():
        known = labels[name] >= 0
        truth, p = labels[name][known].to_numpy(), scores[name][known].to_numpy(np.float64)
        assert one.brier.score.value == pytest.approx(brier_score_loss(truth, p))
        parts = one.brier
        total = parts.reliability - parts.resolution + parts.uncertainty
        assert total + parts.within_variance - parts.within_covariance == pytest.approx(parts.score.value)
        fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(np.log(p / (1 - p))[:, None], truth)
        assert one.slope.value == pytest.approx(fit.coef_[0, 0], abs=1e-4)
        assert one.mean_probability == pytest.approx(p.mean())
    briers = [one.brier.score.value or 0 for one in found.calibration.concepts.values()]
    assert found.calibration.brier.value == pytest.approx(np.mean(briers))
    assert found.calibration.brier.interval is not None


def test_a_resample_has_a_brier_score_as_soon_as_one_annotated_record_is_in_it() -> None:
    labels = pd.DataFrame({"AF": [1, 0, -1, -1]}, dtype=np.int8)
    probabilities = pd.DataFrame({"AF": [0.7, 0.4, 0.5, 0.5]})
    found = calibration(labels, probabilities, np.arange(4), resamples=200, seed=0)
    drawn = counts_of(np.arange(4), 200, seed=0)[:2].astype(np.float64)
    annotated = drawn.sum(axis=0)
    briers = (np.array([0.3**2, 0.4**2]) @ drawn)[annotated > 0] / annotated[annotated > 0]

    assert isinstance(found, Calibration)
    score = found.concepts["AF"].brier.score
    assert (annotated == 1).any()
    assert score.undefined_fraction == found.brier.undefined_fraction == np.mean(annotated == 0)
    assert (score.low, score.high) == pytest.approx(tuple(np.quantile(briers, [0.025, 0.975])), abs=1e-12)
    assert (found.ece_equal_width, found.ece_equal_mass) == pytest.approx(((0.3 + 0.4) / 2,) * 2)


def test_certain_probabilities_are_probabilities() -> None:
    labels = pd.DataFrame({"AF": [1, 0, 1, 0]}, dtype=np.int8)
    probabilities = pd.DataFrame({"AF": [1.0, 0.0, 0.5, 0.5]})
    found = calibration(labels, probabilities, np.arange(4), resamples=5, seed=0)

    assert isinstance(found, Calibration)
    assert found.brier.value == 2 * 0.5**2 / 4
    assert found.concepts["AF"].clipped == 2


def test_scores_that_claim_nothing_or_too_much_have_no_calibration() -> None:
    assert measured(probabilities=False)[0].why_no_calibration == "the scores claim to be no probabilities"
    _, scores, _ = cohort()
    found, _ = measured(fits=[scores * 2])
    assert found.calibration is None
    assert "outside 0 to 1, though the model claims probabilities" in (found.why_no_calibration or "")


def test_calls_are_made_at_thresholds_of_elsewhere() -> None:
    labels, scores, _ = cohort()
    thresholds = chosen_elsewhere()
    found, _ = measured(thresholds=thresholds)
    for name in ("AF", "SB"):
        known = labels[name] >= 0
        truth = labels[name][known].to_numpy() == 1
        for rule, called in found.calls[name].items():
            assert called.threshold == thresholds.concepts[name].thresholds[rule]
            positive = scores[name][known].to_numpy(np.float64) >= called.threshold
            assert (called.tp, called.fp) == ((positive & truth).sum(), (positive & ~truth).sum())
            wilson = binomtest(called.tp, int(truth.sum())).proportion_ci(method="wilson")
            assert [called.sensitivity.low, called.sensitivity.high] == pytest.approx(
                [wilson.low, wilson.high]
            )
    assert measured()[0].why_no_calls == "none here"


def test_thresholds_ignore_the_labels_of_the_evaluated_cohort() -> None:
    """The same scores with other labels are called alike: nothing was learnt from them."""
    labels, scores, _ = cohort()
    evaluation = evaluate(labels, scores, resamples=20)
    thresholds = chosen_elsewhere()
    mixed = labels.sample(frac=1, random_state=1).reset_index(drop=True)
    calls = [
        cell_statistics(
            truth, [scores], None, evaluation, probabilities=False, thresholds=thresholds, members={}
        ).calls["SB"]["youden"]
        for truth in (labels, mixed)
    ]
    assert calls[0].threshold == calls[1].threshold
    assert calls[0].tp + calls[0].fp == calls[1].tp + calls[1].fp
    assert calls[0].tp != calls[1].tp


def test_subgroups_are_measured_on_their_own_records_and_common_concepts() -> None:
    labels, scores, index = cohort()
    found, _ = measured()
    sex = found.subgroups["sex"]
    assert list(sex.groups) == ["female", "male", "unknown"]
    assert sex.common == ("AF", "SB")
    for name in ("female", "male"):
        inside = (index["sex"] == name).to_numpy()
        expected = [
            roc_auc_score(labels[c][inside & (labels[c] >= 0)], scores[c][inside & (labels[c] >= 0)])
            for c in sex.common
        ]
        assert [sex.groups[name].concepts[c].auroc.value for c in sex.common] == pytest.approx(expected)
        assert sex.groups[name].macro.value == pytest.approx(np.mean(expected))
        assert sex.groups[name].records == inside.sum()
    assert sex.groups["unknown"].macro.value is None
    values = {name: sex.groups[name].macro.value or 0 for name in ("female", "male")}
    assert sex.gap is not None
    assert values[sex.gap.highest] >= values[sex.gap.lowest]
    assert sex.gap.difference.value == pytest.approx(abs(values["female"] - values["male"]))
    assert sex.gap.difference.interval is not None
    assert set(found.subgroups["age"].groups) == {"under 40", "40 to 59", "60 to 79", "80 and over"}


def test_groups_are_compared_on_what_the_evaluation_calls_enough() -> None:
    """Ten positives and negatives in A and B, eight positives in C: enough for a minimum of eight."""
    labels = pd.DataFrame({"AF": ([1] * 10 + [0] * 10) * 2 + [1] * 8 + [0] * 12}, dtype=np.int8)
    scores = labels + np.linspace(0, 1, 60)[:, None] * 1.5
    members = [name for name in "ABC" for _ in range(20)]
    for minimum, compared in ((8, {"A", "B", "C"}), (9, {"A", "B"}), (10, {"A", "B"}), (11, set())):
        evaluation = evaluate(labels, scores, resamples=20, minimum=minimum)
        found = cell_statistics(
            labels,
            [scores],
            None,
            evaluation,
            probabilities=False,
            thresholds=no_thresholds(""),
            members={"site": members},
        ).subgroups["site"]
        assert evaluation.macro.minimum == minimum
        assert {name for name, group in found.groups.items() if group.macro.value is not None} == compared
    assert found.groups["A"].macro.reason == (
        "not enough concepts with 11 positives and 11 negatives to be compared"
    )


def test_calls_and_brier_scores_have_at_most_2000_resamples() -> None:
    labels, scores, _ = cohort()
    for resamples, fewer in ((2500, 2000), (300, 300)):
        evaluation = evaluate(labels, scores, resamples=resamples)
        found = cell_statistics(
            labels, [scores], None, evaluation, probabilities=False, thresholds=no_thresholds(""), members={}
        )
        assert (found.resamples, evaluation.bootstrap.resamples) == (fewer, resamples)


def test_several_fits_say_what_is_of_the_first() -> None:
    _, scores, _ = cohort()
    other = (scores * 0.5).astype(np.float32)
    found, _ = measured(fits=[scores, other], thresholds=chosen_elsewhere())
    single, _ = measured(thresholds=chosen_elsewhere())
    assert found.fits == 2
    assert found.calls == single.calls
    assert found.calibration == single.calibration
    assert found.concepts["AF"].delong.interval is None
    assert found.concepts["AF"].delong.reason == "no DeLong interval: the mean of 2 fits"


def test_a_cohort_without_an_eligible_concept() -> None:
    labels = pd.DataFrame({"AF": np.zeros(30, np.int8)})
    scores = pd.DataFrame({"AF": np.linspace(0, 1, 30)})
    found = cell_statistics(
        labels,
        [scores],
        None,
        evaluate(labels, scores, resamples=10),
        probabilities=True,
        thresholds=chosen_elsewhere(),
        members={"sex": ["female"] * 30},
    )
    assert found.concepts == {}
    assert found.macro_auprc_at_reference.value is None
    assert found.macro_auprc_at_reference.reason == ("no concept has at least 10 positives and 10 negatives")
    assert found.why_no_calls == "no eligible concept has a threshold"
    assert found.why_no_calibration == "no concept is eligible"
    assert found.subgroups["sex"].reason == "no concept is eligible"
