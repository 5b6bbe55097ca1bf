"""What results hold: None with a reason instead of NaN, and how a record of an earlier version is read."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.cell.results import MacroMetrics
from benchmark.metrics.estimates import Estimate, estimate_of, nan_if_none, none_if_nan, undefined

LABELS = pd.DataFrame({"AF": [1] * 10 + [0] * 10, "SB": [1] * 3 + [0] * 17}, dtype=np.int8)
SCORES = LABELS + np.linspace(0, 1.5, 20)[:, None]


def test_a_result_can_hold_no_nan_and_no_unknown_field() -> None:
    good = {"value": 0.5, "low": None, "high": None, "undefined_fraction": 0.0}

    for wrong in ({"value": math.nan}, {"low": math.inf}, {"p": 1}):
        with pytest.raises(ValidationError):
            Estimate(**{**good, **wrong})


def test_what_is_not_a_number_becomes_none() -> None:
    found = estimate_of(0.5, math.nan, math.nan, reason="one patient")

    assert asdict(found) == {
        "value": 0.5,
        "low": None,
        "high": None,
        "reason": "one patient",
        "undefined_fraction": 0.0,
    }
    assert (undefined("no record").value, undefined("no record").reason) == (None, "no record")
    assert estimate_of(0.5).reason is None
    assert none_if_nan(0.0) == nan_if_none(0.0) == 0.0
    assert none_if_nan(math.nan) is None
    assert math.isnan(nan_if_none(None))


def test_an_interval_is_shown_unless_it_is_lacking_or_a_single_point_with_a_reason() -> None:
    assert estimate_of(0.5, 0.4, 0.6).interval == (0.4, 0.6)
    assert estimate_of(0.5, 0.4, 0.6, reason="few").interval == (0.4, 0.6)
    assert estimate_of(0.5, 0.5, 0.5).interval == (0.5, 0.5)
    assert estimate_of(0.5, 0.5, 0.5, reason="no width").interval is None
    assert estimate_of(0.5).interval is None


def test_a_macro_says_its_minimum_and_older_ones_were_made_with_10() -> None:
    macro = evaluate(LABELS, SCORES, resamples=2, minimum=3).macro
    older = macro.model_dump(exclude={"minimum"})

    assert (macro.minimum, macro.concepts) == (3, ("AF", "SB"))
    assert evaluate(LABELS, SCORES, resamples=2).macro.concepts == ("AF",)
    assert MacroMetrics.model_validate(older).minimum == 10


def test_each_of_several_fits_has_its_own_macro() -> None:
    """The second fit turns every score round: an AUROC of A becomes 1 - A."""
    found = evaluate(LABELS, [SCORES, -SCORES], resamples=5)
    first, second = found.fits
    nothing = evaluate(LABELS, [SCORES, -SCORES], resamples=5, minimum=11).fits

    assert first.auroc == evaluate(LABELS, SCORES, resamples=5).macro.auroc.value
    assert first.auprc == evaluate(LABELS, SCORES, resamples=5).macro.auprc.value
    assert second.auroc == pytest.approx(1 - (first.auroc or 0))
    assert found.macro.auroc.value == 0.5
    assert [(fit.auroc, fit.auprc) for fit in nothing] == [(None, None)] * 2


def test_ten_thousand_resamples_unless_asked_otherwise() -> None:
    found = evaluate(LABELS, SCORES).bootstrap

    assert (found.resamples, found.seed, found.level) == (10_000, 0, 0.95)
