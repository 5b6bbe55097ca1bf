"""Rules 1 to 3 of the design for every metric: undefined is undefined, and nothing is silent."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.metrics.bootstrap import bootstrap, group_records
from benchmark.metrics.calibration import brier, brier_parts, calibration_error
from benchmark.metrics.calibration_curve import calibration_curve
from benchmark.metrics.delong import delong_covariance, delong_interval, delong_test
from benchmark.metrics.discrimination import auroc, average_precision
from benchmark.metrics.estimates import Estimate, Result
from benchmark.metrics.intervals import estimate
from benchmark.metrics.jackknife import jackknife
from benchmark.metrics.operating_points import choose_thresholds, measure_calls
from benchmark.metrics.readers import against_reader
from benchmark.metrics.recalibration import fit_platt, recalibration
from cohorts.errors import ModelError

SCORES = st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.9, 1.0])

Labels = np.ndarray
Groups = np.ndarray


@st.composite
def columns(draw: st.DrawFn) -> tuple[Labels, np.ndarray, Groups]:
    """Any mix of missing labels, single classes, ties, constant scores; of no, one or many patients."""
    records = draw(st.integers(0, 24))
    size = {"min_size": records, "max_size": records}
    kinds = draw(st.sampled_from([(-1, 0, 1), (0, 1), (0,), (1,), (-1,), (-1, 1), (-1, 0)]))
    labels = np.array(draw(st.lists(st.sampled_from(kinds), **size)), np.int8)
    constant = draw(st.booleans())
    scores = np.full(records, 0.5) if constant else np.array(draw(st.lists(SCORES, **size)), np.float64)
    patients = draw(st.lists(st.integers(0, draw(st.sampled_from([0, 3, 30]))), **size))
    return labels, scores, group_records(pd.Series(patients, dtype="Int64"))


def estimates(found: Any) -> Iterator[Estimate]:
    """Every figure with an interval in a result."""
    if isinstance(found, Estimate):
        yield found
    elif isinstance(found, Result):
        for _, value in found:
            yield from estimates(value)
    elif dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from estimates(getattr(found, field.name))
    elif isinstance(found, dict):
        for value in found.values():
            yield from estimates(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from estimates(value)


def everything(labels: Labels, scores: np.ndarray, groups: Groups) -> dict[str, Any]:
    """All metrics with intervals of one column."""
    calls = scores > 0.4
    table, column = labels[:, None], scores[:, None]
    drawn = bootstrap(table, column, groups, resamples=20, seed=0)
    without = jackknife(table, column, groups)
    return {
        "percentile": estimate(float(drawn.auroc[0]), drawn.auroc_resamples[:, 0]),
        "bca": estimate(float(drawn.auprc[0]), drawn.auprc_resamples[:, 0], jackknife=without[1][:, 0]),
        "delong": delong_interval(labels, scores),
        "delong of patients": delong_interval(labels, scores, groups),
        "delong test": delong_test(labels, scores, -scores, groups),
        "calls": measure_calls(table, calls[:, None], groups, resamples=20),
        "brier": brier(labels, scores, groups, resamples=20),
        "recalibration": recalibration(labels, scores, groups),
        "reader": against_reader(labels, scores, calls, groups, resamples=20),
    }


@given(columns())
@settings(max_examples=150, deadline=None)
def test_every_figure_is_defined_or_says_why_and_its_interval_holds_it(
    column: tuple[Labels, np.ndarray, Groups],
) -> None:
    for name, result in everything(*column).items():
        for found in estimates(result):
            assert (found.low is None) == (found.high is None), name
            if found.value is None:
                assert found.reason, name
                assert found.low is None, name
            elif found.low is None:
                assert found.reason, name
            else:
                assert found.low <= found.high, name
                said = "no width" in (found.reason or "") or name == "recalibration"
                assert found.low < found.high or said, name


@given(columns())
@settings(max_examples=100, deadline=None)
def test_without_both_classes_nothing_that_needs_them_has_a_value(
    column: tuple[Labels, np.ndarray, Groups],
) -> None:
    labels, scores, groups = column
    both = {0, 1} <= set(labels.tolist())
    parts = brier_parts(labels, scores)
    chosen = choose_thresholds(labels, scores)

    assert math.isnan(auroc(labels, scores)) is not both
    assert math.isnan(average_precision(labels, scores)) is not both
    assert math.isnan(average_precision(labels, scores, 0.1)) is not both
    assert np.isnan(delong_covariance(labels, scores[:, None], groups).auroc[0]) != both
    assert (chosen["youden"].value is None) is not both
    assert all((threshold.value is None) == bool(threshold.reason) for threshold in chosen.values())
    assert math.isnan(parts.brier) is bool((labels < 0).all())
    assert math.isnan(calibration_error(labels, scores)) is bool((labels < 0).all())
    assert calibration_curve(labels, scores, groups).reason or both


def test_constant_scores_of_both_classes_are_one_half_and_never_nothing() -> None:
    labels, scores = np.array([0, 1, 0, 1], np.int8), np.full(4, 0.5)

    assert auroc(labels, scores) == delong_interval(labels, scores).value == 0.5


def test_records_that_are_not_annotated_change_nothing_but_the_draw() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60).astype(np.int8)
    scores = rng.random(60).round(1)
    longer = np.append(labels, np.full(20, -1)).astype(np.int8), np.append(scores, rng.random(20))

    assert delong_interval(*longer) == delong_interval(labels, scores)
    assert recalibration(*longer).slope == recalibration(labels, scores).slope
    assert choose_thresholds(*longer) == choose_thresholds(labels, scores)
    assert brier_parts(*longer) == brier_parts(labels, scores)


ONE_COLUMN: list[Callable[..., Any]] = [
    brier,
    brier_parts,
    calibration_curve,
    calibration_error,
    choose_thresholds,
    delong_interval,
    fit_platt,
    recalibration,
    lambda labels, scores, name: against_reader(labels, scores, np.zeros(3, np.bool_), name=name),
    lambda labels, scores, name: delong_test(labels, [0.1, 0.2, 0.3], scores, name=name),
]


@pytest.mark.parametrize("metric", ONE_COLUMN)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_names_the_column_and_the_count(
    metric: Callable[..., Any], bad: float
) -> None:
    for labels in ([0, 1, 1], [0, 1, -1]):  # also where the record is not annotated
        with pytest.raises(ModelError, match="1 of 3 scores of 'AF' are NaN or infinite"):
            metric(labels, [0.1, 0.2, bad], name="'AF'")
