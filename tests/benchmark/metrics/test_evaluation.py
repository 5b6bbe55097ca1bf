"""`evaluate`: undefined stays undefined, macro averages cover what they say, intervals are honest."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from benchmark.metrics.bootstrap import bootstrap, group_records
from benchmark.metrics.cell.evaluation import Evaluation, evaluate, evaluate_resampled
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.estimates import Estimate
from benchmark.metrics.intervals import newcombe_interval
from cohorts.errors import ModelError, UsageError


def cohort(
    seed: int = 0, records: int = 400, patients: int = 150
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[Any]]:
    """Three concepts that are eligible (AF, LBBB, PVC) and one with three positives (WPW)."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"r{i:04d}" for i in range(records)], name="record_id")
    truth = pd.DataFrame(
        {name: rng.random(records) < p for name, p in (("AF", 0.1), ("LBBB", 0.3), ("PVC", 0.2))}, index=index
    ).astype(np.int8)
    truth.insert(1, "WPW", np.int8(0))
    truth.loc[index[:3], "WPW"] = 1
    scores = truth + rng.normal(size=truth.shape)
    truth.loc[index[5:60], "AF"] = -1
    return truth, scores, pd.Series(rng.integers(0, patients, records), index=index)


def strict(evaluation: Evaluation) -> Any:
    """Through JSON and back without change, and without NaN in it."""
    text = evaluation.model_dump_json()
    assert Evaluation.model_validate_json(text) == evaluation

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the JSON")

    return json.loads(text, parse_constant=refuse)


def test_values_counts_and_macro() -> None:
    labels, scores, patients = cohort()
    found = evaluate(labels, scores, patients, resamples=200, seed=4)
    drawn = bootstrap(labels.to_numpy(), scores.to_numpy(), group_records(patients), resamples=200, seed=4)

    assert list(found.concepts) == ["AF", "WPW", "LBBB", "PVC"]
    for column, (name, metrics) in enumerate(found.concepts.items()):
        assert metrics.auroc.value == pytest.approx(auroc(labels[name], scores[name]), abs=1e-12)
        assert metrics.auprc.value == pytest.approx(average_precision(labels[name], scores[name]), abs=1e-12)
        assert metrics.n == (labels[name] >= 0).sum()
        assert metrics.positives == (labels[name] == 1).sum()
        assert metrics.prevalence == metrics.positives / metrics.n
        assert metrics.eligible == (name != "WPW")
        values = drawn.auroc_resamples[:, column]
        assert metrics.auroc.undefined_fraction == np.isnan(values).mean()
        assert metrics.auroc.low == pytest.approx(np.nanpercentile(values, 2.5), abs=1e-12)
        assert metrics.auroc.high == pytest.approx(np.nanpercentile(values, 97.5), abs=1e-12)
    assert found.concepts["WPW"].auroc.undefined_fraction > 0

    macro = drawn.auprc_resamples[:, [0, 2, 3]].mean(axis=1)
    assert found.macro.concepts == ("AF", "LBBB", "PVC")
    assert found.macro.auprc.value == pytest.approx(
        np.mean([found.concepts[name].auprc.value for name in found.macro.concepts]), abs=1e-12
    )
    assert found.macro.auprc.low == pytest.approx(np.percentile(macro, 2.5), abs=1e-12)
    assert found.macro.auprc.high == pytest.approx(np.percentile(macro, 97.5), abs=1e-12)
    assert found.macro.prevalence == pytest.approx(
        np.mean([found.concepts[name].prevalence for name in found.macro.concepts])
    )
    assert found.bootstrap.model_dump() == {
        "resamples": 200, "seed": 4, "level": 0.95, "unit": "patients", "groups": patients.nunique(),
    }  # fmt: skip
    strict(found)


def test_a_resample_without_one_of_the_eligible_concepts_is_left_out_of_the_macro() -> None:
    """All positives of one concept are one patient's, so a third of the resamples have none of them."""
    labels, scores, patients = cohort()
    labels["AF"] = np.int8(0)
    labels.loc[labels.index[:12], "AF"] = 1
    patients.iloc[:12] = 999
    patients.iloc[12:] = np.arange(388)
    found = evaluate(labels, scores, patients, resamples=2000)

    alone = found.concepts["AF"].auroc.undefined_fraction
    assert alone == pytest.approx(math.exp(-1), abs=0.03)
    assert found.concepts["LBBB"].auroc.undefined_fraction == 0
    assert found.macro.auroc.undefined_fraction == alone
    drawn = bootstrap(
        labels.to_numpy(), scores.to_numpy(), group_records(patients), resamples=2000, seed=0
    ).auroc_resamples[:, [0, 2, 3]]
    complete = drawn[~np.isnan(drawn).any(axis=1)].mean(axis=1)
    assert found.macro.auroc.low == pytest.approx(np.percentile(complete, 2.5), abs=1e-12)


def test_undefined_is_null_with_its_reason() -> None:
    labels = pd.DataFrame({"none": [-1] * 4, "healthy": [0] * 4, "ill": [1, 1, 1, -1]}, dtype=np.int8)
    found = evaluate(labels, np.zeros((4, 3)), resamples=10)

    reasons = {"none": "no annotated record", "healthy": "no positive record", "ill": "no negative record"}
    for name, n in {"none": 0, "healthy": 4, "ill": 3}.items():
        metrics = found.concepts[name]
        for estimate in (metrics.auroc, metrics.auprc):
            assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
            assert estimate.reason == reasons[name]
            assert estimate.undefined_fraction == 1
        assert metrics.n == n
    assert found.concepts["none"].prevalence is None
    assert found.macro.concepts == ()
    assert found.macro.prevalence is None
    assert found.macro.auroc.value is None
    assert found.macro.auroc.reason == "no concept has at least 10 positives and 10 negatives"
    strict(found)


@pytest.mark.parametrize(
    ("positives", "negatives", "eligible"), [(10, 10, True), (9, 50, False), (50, 9, False)]
)
def test_ten_of_each_make_a_concept_eligible(positives: int, negatives: int, eligible: bool) -> None:
    labels = pd.DataFrame({"AF": [1] * positives + [0] * negatives}, dtype=np.int8)
    found = evaluate(labels, np.arange(len(labels))[:, None], resamples=2)

    assert found.concepts["AF"].eligible == eligible
    assert found.macro.concepts == (("AF",) if eligible else ())


def test_constant_scores_have_an_auroc_of_one_half_and_the_prevalence_as_auprc() -> None:
    labels, scores, patients = cohort()
    found = evaluate(labels, scores * 0 + 0.3, patients, resamples=50)

    assert found.concepts["LBBB"].auroc == Estimate(value=0.5, low=0.5, high=0.5, undefined_fraction=0)
    assert found.concepts["LBBB"].auprc.value == pytest.approx(found.concepts["LBBB"].prevalence)


@pytest.mark.parametrize("resamples", [0, 1, 20])
def test_no_records(resamples: int) -> None:
    found = evaluate(pd.DataFrame({"AF": np.empty(0, np.int8)}), np.empty((0, 1)), resamples=resamples)

    assert found.bootstrap.groups == 0
    assert found.concepts["AF"].auroc.reason == "no annotated record"
    strict(found)


def test_no_concepts() -> None:
    found = evaluate(pd.DataFrame(index=range(5)), np.empty((5, 0)), resamples=5)

    assert found.concepts == {}
    assert found.macro.auroc.value is None


def test_one_record_and_one_patient_have_no_interval() -> None:
    labels = pd.DataFrame({"AF": [1, 0, 0]}, dtype=np.int8)
    one_patient = evaluate(labels, np.array([[0.2], [0.1], [0.9]]), pd.Series(["p"] * 3), resamples=50)
    one_record = evaluate(labels.iloc[:1], np.array([[0.2]]), resamples=50)

    assert asdict(one_patient.concepts["AF"].auroc) == {
        "value": 0.5, "low": None, "high": None, "reason": "no interval: all records are of one patient",
        "undefined_fraction": 0.0,
    }  # fmt: skip
    assert one_record.concepts["AF"].auroc.reason == "no negative record"


@pytest.mark.parametrize("resamples", [0, 1])
def test_too_few_resamples_give_no_interval(resamples: int) -> None:
    found = evaluate(*cohort(), resamples=resamples).macro.auroc

    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert found.reason == f"no interval: {resamples} resamples"


def test_rarely_defined_values_have_no_interval() -> None:
    labels = pd.DataFrame({"AF": [1, 0]}, dtype=np.int8)
    found = evaluate(labels, np.array([[1.0], [0.0]]), resamples=2, seed=6).concepts["AF"].auroc

    assert found.undefined_fraction >= 0.5
    assert found.reason == "no interval: defined in fewer than 2 of 2 resamples"


def test_records_without_patient_id_are_patients_of_their_own_and_the_notes_say_so() -> None:
    labels, scores, patients = cohort()
    some = patients.astype("Int64")
    some.iloc[:30] = pd.NA
    found = evaluate(labels, scores, some, resamples=2)
    unknown = evaluate(labels, scores, patients.astype("str").where(patients < 0, ""), resamples=2)

    assert found.bootstrap.unit == "patients"
    assert found.bootstrap.groups == some.nunique() + 30
    assert found.notes == ("30 of 400 records have no patient id: each is drawn as a patient of its own.",)
    assert (unknown.bootstrap.unit, unknown.bootstrap.groups, unknown.notes) == ("records", 400, ())
    assert evaluate(labels, scores, resamples=2).bootstrap == unknown.bootstrap


def test_names_of_patients_do_not_matter_nor_does_the_order_of_the_scores_columns() -> None:
    labels, scores, patients = cohort()
    found = evaluate(labels, scores, patients, resamples=30)

    assert evaluate(labels, scores.iloc[:, ::-1], patients.map("patient {}".format), resamples=30) == found
    assert evaluate(labels, scores.to_numpy(), -patients, resamples=30) == found


def test_order_of_the_records_does_not_change_a_value() -> None:
    labels, scores, patients = cohort()
    scores = scores.round(1)
    order = np.random.default_rng(0).permutation(len(labels))
    found = evaluate(labels, scores, patients, resamples=2)
    mixed = evaluate(labels.iloc[order], scores.iloc[order], patients.iloc[order], resamples=2)

    for name, metrics in found.concepts.items():
        assert mixed.concepts[name].auroc.value == metrics.auroc.value
        assert mixed.concepts[name].auprc.value == metrics.auprc.value
    assert mixed.macro.auroc.value == found.macro.auroc.value


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("annotated", [True, False])
def test_scores_that_are_not_finite_are_an_error_even_where_nothing_is_annotated(
    bad: float, annotated: bool
) -> None:
    labels, scores, _ = cohort()
    rows = np.flatnonzero((labels["AF"] >= 0) == annotated)[:3]
    scores.iloc[rows, scores.columns.get_loc("AF")] = bad

    with pytest.raises(ModelError, match=r"^3 of 400 scores of 'AF' are NaN or infinite\.$"):
        evaluate(labels, scores)


def test_scores_of_every_numeric_type() -> None:
    labels = pd.DataFrame({"AF": [0, 1, 1]}, dtype=np.int8)

    for dtype in ("float16", "float32", "Float64", "int64", "bool", "Int8"):
        scores = pd.DataFrame({"AF": [0, 0, 1]}).astype(dtype)
        assert evaluate(labels, scores, resamples=2).concepts["AF"].auroc.value == 0.75


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros((3, 2)), "shape"),
        (np.zeros(2), "shape"),
        (pd.DataFrame({"AF": [0.1, 0.2], "X": [0.1, 0.2]}), "have the concepts AF, X"),
        (pd.DataFrame({"PVC": [0.1, 0.2]}), "have the concepts PVC"),
        (pd.DataFrame([[0.1, 0.2]] * 2, columns=["AF", "AF"]), "have the concepts AF, AF"),
        (pd.DataFrame({"AF": [0.1, 0.2]}, index=[1, 0]), "rows of the scores"),
        (pd.DataFrame({"AF": ["0.1", "0.2"]}), "not numbers"),
        (pd.DataFrame({"AF": [0.1j, 0.2]}), "not numbers"),
        (pd.DataFrame({"AF": pd.array([0.5, pd.NA], "Float64")}), "1 of 2 scores of 'AF'"),
    ],
)
def test_refuses_scores(scores: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        evaluate(pd.DataFrame({"AF": [0, 1]}, dtype=np.int8), scores)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (pd.DataFrame({"AF": [0, 2]}), "other than 1, 0 and -1"),
        (pd.DataFrame({"AF": [0.0, np.nan]}), "other than 1, 0 and -1"),
        (pd.DataFrame({"AF": ["0", "1"]}), "other than 1, 0 and -1"),
        (pd.DataFrame({"AF": [0, 1]}, index=["r", "r"]), "the record 'r' twice"),
        (pd.DataFrame([[0], [1]], columns=["AF"]).iloc[:, [0, 0]], "the concept 'AF' twice"),
    ],
)
def test_refuses_labels(labels: pd.DataFrame, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(labels, np.zeros(labels.shape))


def test_refuses_patients_of_other_records_and_impossible_settings() -> None:
    labels, scores, patients = cohort()

    with pytest.raises(UsageError, match="patient ids"):
        evaluate(labels, scores, patients.iloc[::-1])
    with pytest.raises(UsageError, match="-1 resamples"):
        evaluate(labels, scores, resamples=-1)
    with pytest.raises(UsageError, match="seed -1"):
        evaluate(labels, scores, seed=-1)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_cohort_gives_a_strict_and_consistent_result(data: st.DataObject) -> None:
    records, columns = data.draw(st.integers(0, 30)), data.draw(st.integers(0, 3))
    size = {"min_size": records, "max_size": records}
    label = st.sampled_from(data.draw(st.sampled_from([(0,), (1,), (-1,), (0, 1), (-1, 0, 1)])))
    score = data.draw(
        st.sampled_from(
            [st.just(0.5), st.sampled_from([0.1, 0.2]), st.floats(allow_nan=False, allow_infinity=False)]
        )
    )
    names = [f"c{i}" for i in range(columns)]
    labels = pd.DataFrame({name: data.draw(st.lists(label, **size)) for name in names}, index=range(records))
    scores = pd.DataFrame({name: data.draw(st.lists(score, **size)) for name in names}, index=range(records))
    patients = pd.Series(data.draw(st.lists(st.sampled_from([None, "a", "b"]), **size)), index=range(records))
    found = evaluate(labels, scores, patients, resamples=data.draw(st.integers(0, 12)), minimum=2)
    strict(found)

    estimates = [found.macro.auroc, found.macro.auprc]
    for name, metrics in found.concepts.items():
        estimates += [metrics.auroc, metrics.auprc]
        defined = {0, 1} <= set(labels[name])
        assert (metrics.auroc.value is not None) == (metrics.auprc.value is not None) == defined
        assert metrics.eligible == (name in found.macro.concepts)
    for estimate in estimates:
        numbers = [number for number in (estimate.low, estimate.high, estimate.value) if number is not None]
        assert all(0 <= number <= 1 for number in numbers)
        assert (estimate.low is None) == (estimate.high is None)
        assert (estimate.reason is None) == (estimate.interval is not None)
        assert estimate.low is None or estimate.low <= estimate.high


@given(st.integers(0, 29), st.sampled_from([np.nan, np.inf, -np.inf]))
@settings(max_examples=20, deadline=None)
def test_one_bad_score_anywhere_is_an_error(row: int, bad: float) -> None:
    labels = pd.DataFrame({"AF": np.arange(30) % 3 - 1})
    scores = np.linspace(0, 1, 30)[:, None].copy()
    scores[row] = bad

    with pytest.raises(ModelError, match="1 of 30 scores of 'AF'"):
        evaluate(labels, scores)


def test_intervals_cover_the_truth_and_clusters_need_patients() -> None:
    """200 simulated cohorts, 60 of 240 records positive, each twice: the truth is in about 95 %."""
    truth = norm.cdf(1 / math.sqrt(2))
    labels = pd.DataFrame({"AF": (np.arange(480) % 240 < 60).astype(np.int8)})
    patients = pd.Series(np.arange(480) % 240)
    covered = {"patients": 0, "records": 0}
    for seed in range(200):
        once = np.random.default_rng(seed).normal(size=240) + labels["AF"].to_numpy()[:240]
        scores = np.tile(once, 2)[:, None]
        for unit, ids in (("patients", patients), ("records", None)):
            interval = evaluate(labels, scores, ids, resamples=200, seed=seed).macro.auroc
            assert interval.low is not None
            assert interval.high is not None
            covered[unit] += interval.low <= truth <= interval.high

    assert 0.90 <= covered["patients"] / 200 <= 0.985
    assert covered["records"] / 200 < 0.88


def test_few_positives_are_a_caution_and_count_patients() -> None:
    labels, scores, patients = cohort(records=2000, patients=5000)
    labels["LBBB"], labels["PVC"] = np.int8(0), np.int8(0)
    labels.iloc[:49, labels.columns.get_loc("LBBB")] = 1
    labels.iloc[:60, labels.columns.get_loc("PVC")] = 1
    patients.iloc[:60] = np.arange(60)
    alone = evaluate(labels, scores, resamples=20).concepts
    assert alone["LBBB"].caution == "49 positives: with fewer than 50 the interval is too narrow."
    assert alone["PVC"].caution is None
    patients.iloc[:60] = np.arange(60) // 2
    shared = evaluate(labels, scores, patients, resamples=20).concepts
    assert shared["PVC"].caution == (
        "30 patients with a positive: with fewer than 50 the interval is too narrow."
    )


def test_an_auroc_of_one_has_no_interval_but_newcombes() -> None:
    labels = pd.DataFrame({"AF": [1] * 10 + [0] * 30}, dtype=np.int8)
    scores = pd.DataFrame({"AF": -np.arange(40.0)})
    found = evaluate(labels, scores, resamples=50).concepts["AF"].auroc
    assert (found.value, found.interval) == (1.0, None)
    low, high = newcombe_interval(1.0, 10, 30) or (math.nan, math.nan)
    assert found.reason is not None
    assert found.reason.endswith(f"which is not certainty; by Newcombe's method {low:.3f} to {high:.3f}")
    pairs = evaluate(labels, scores, pd.Series(np.arange(40) // 2), resamples=50).concepts["AF"].auroc
    assert (
        pairs.reason == "an interval without width: at exactly 1 no resample differs, which is not certainty"
    )


def test_resampled_figures_are_those_of_the_intervals() -> None:
    labels, scores, patients = cohort()
    found, drawn = evaluate_resampled(labels, scores, patients, resamples=300, seed=2)
    assert drawn.concepts == found.macro.concepts == ("AF", "LBBB", "PVC")
    assert drawn.auroc.dtype == np.float32
    for column, name in enumerate(drawn.concepts):
        ends = np.percentile(drawn.auroc[:, column], [2.5, 97.5])
        assert ends == pytest.approx(
            [found.concepts[name].auroc.low, found.concepts[name].auroc.high], abs=1e-6
        )
    assert np.percentile(drawn.macro_auprc, 2.5) == pytest.approx(found.macro.auprc.low, abs=1e-12)
    np.testing.assert_allclose(drawn.auroc.mean(axis=1), drawn.macro_auroc, atol=1e-6)
