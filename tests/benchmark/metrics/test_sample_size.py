"""Sample sizes against published examples, and against what the bootstrap then finds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.metrics.bootstrap import bootstrap
from benchmark.metrics.discrimination import auroc
from benchmark.metrics.sample_size import (
    MOST_RECORDS,
    auroc_variance,
    design_effect,
    expected_auprc,
    for_auprc_width,
    for_auroc_width,
    for_difference,
    for_observed_to_expected_width,
    for_slope_width,
    for_slope_width_of,
    logits_of,
    patients_for,
)


# Examples of pmvalsampsize 0.1.0 (Ensor et al.) in R and Python; the one of prevalence 0.018 is that of Riley
# et al. 2021. It draws a million logits, and goes in steps of 0.0001 in the standard error of log(O/E).
@pytest.mark.parametrize(("c", "prevalence", "records"), [(0.8, 0.018, 4252), (0.78, 0.2, 511)])
def test_the_published_examples_for_the_auroc(c: float, prevalence: float, records: int) -> None:
    assert for_auroc_width(c, prevalence, 0.1) == records


@pytest.mark.parametrize(("prevalence", "width", "records"), [(0.018, 1.0, 905), (0.2, 0.2, 1538)])
def test_the_published_examples_for_observed_to_expected(
    prevalence: float, width: float, records: int
) -> None:
    assert for_observed_to_expected_width(prevalence, width) == pytest.approx(records, rel=0.003)


@pytest.mark.parametrize(("mean", "sd", "records"), [(-5, 2.5, 4544), (-1.75, 1.22, 2958)])
def test_the_published_examples_for_the_slope(mean: float, sd: float, records: int) -> None:
    assert for_slope_width_of(mean, sd, 0.2) == pytest.approx(records, rel=0.005)


def test_the_slope_from_an_auroc_agrees_with_logits_that_were_drawn_to_fit_it() -> None:
    assert for_slope_width(0.8, 0.018, 0.2) == pytest.approx(17_080, rel=0.005)


def test_logits_give_their_auroc_their_prevalence_and_are_calibrated() -> None:
    rng, n = np.random.default_rng(0), 400_000
    logits = logits_of(0.85, 0.1)
    ill = rng.random(n) < 0.1
    drawn = rng.normal(np.where(ill, logits.with_finding, logits.without), logits.sd)
    assert auroc(ill, drawn) == pytest.approx(0.85, abs=0.004)
    risk = 1 / (1 + np.exp(-drawn))
    for low, high in ((0.01, 0.03), (0.1, 0.2), (0.4, 0.6)):
        chosen = (risk > low) & (risk < high)
        assert ill[chosen].mean() == pytest.approx(risk[chosen].mean(), rel=0.05)


@pytest.mark.parametrize(
    ("c", "prevalence", "width"), [(0.9, 0.02, 0.05), (0.8, 0.1, 0.05), (0.75, 0.3, 0.08)]
)
def test_the_bootstrap_gives_about_the_width_that_was_asked_for(
    c: float, prevalence: float, width: float
) -> None:
    n = for_auroc_width(c, prevalence, width)
    assert n is not None
    rng, logits, widths = np.random.default_rng(1), logits_of(c, prevalence), []
    for seed in range(30):
        ill = rng.random(n) < prevalence
        scores = rng.normal(np.where(ill, logits.with_finding, logits.without), logits.sd)
        found = bootstrap(
            ill[:, None].astype(np.int8), scores[:, None], np.arange(n), resamples=300, seed=seed
        )
        low, high = np.nanpercentile(found.auroc_resamples[:, 0], [2.5, 97.5])
        widths.append(high - low)
    assert 0.88 * width < np.mean(widths) < 1.05 * width  # the formula is on the safe side


@pytest.mark.parametrize(
    ("c", "prevalence", "width"), [(0.9, 0.02, 0.15), (0.8, 0.1, 0.1), (0.75, 0.3, 0.14)]
)
def test_the_bootstrap_gives_about_the_width_of_the_auprc_too(
    c: float, prevalence: float, width: float
) -> None:
    n = for_auprc_width(c, prevalence, width)
    assert n is not None
    rng, logits, widths, values = np.random.default_rng(3), logits_of(c, prevalence), [], []
    for seed in range(40):
        ill = rng.random(n) < prevalence
        scores = rng.normal(np.where(ill, logits.with_finding, logits.without), logits.sd)
        found = bootstrap(
            ill[:, None].astype(np.int8), scores[:, None], np.arange(n), resamples=300, seed=seed
        )
        low, high = np.nanpercentile(found.auprc_resamples[:, 0], [2.5, 97.5])
        widths.append(high - low)
        values.append(float(found.auprc[0]))
    assert np.mean(values) == pytest.approx(expected_auprc(c, prevalence), abs=0.02)
    assert np.mean(widths) == pytest.approx(width, rel=0.1)


def test_a_difference_is_found_as_often_as_the_power_says() -> None:
    c, difference, prevalence, shared = 0.85, 0.05, 0.2, 0.7
    rng = np.random.default_rng(2)

    def draw(n: int) -> tuple[float, float]:
        ill = rng.random(n) < prevalence
        common, own = rng.normal(size=n), rng.normal(size=(2, n))
        shifts = [logits_of(value, prevalence).sd for value in (c, c - difference)]
        return tuple(
            auroc(ill, shift * ill + math.sqrt(shared) * common + math.sqrt(1 - shared) * one)
            for shift, one in zip(shifts, own, strict=True)
        )

    pilot = np.array([draw(400) for _ in range(400)])
    correlation = float(np.corrcoef(pilot.T)[0, 1])
    n = for_difference(c, prevalence, difference, correlation, 0.8)
    assert n is not None
    drawn = np.array([draw(n) for _ in range(600)])
    differences = drawn[:, 0] - drawn[:, 1]
    power = (differences > 1.96 * differences.std()).mean()
    assert 0.76 < power < 0.93  # the variance is on the safe side here too


def test_more_is_needed_for_more() -> None:
    by_power = [for_difference(0.9, 0.1, 0.02, 0.5, power) or 0 for power in (0.8, 0.9)]
    assert by_power[0] < by_power[1]
    assert (for_difference(0.9, 0.1, 0.02, 0.8, 0.8) or 0) < by_power[0]
    n = for_auroc_width(0.9, 0.1, 0.05)
    assert n is not None
    assert 2 * 1.959964 * math.sqrt(auroc_variance(0.9, 0.1, n)) <= 0.05
    assert 2 * 1.959964 * math.sqrt(auroc_variance(0.9, 0.1, n - 1)) > 0.05
    # Unpaired, under the hypothesis that both are alike: the textbook formula with z of 5 % and 80 %.
    unpaired = for_difference(0.8, 0.5, 0.001, 0.0, 0.8)
    assert unpaired is not None
    one = auroc_variance(0.8, 0.5, unpaired)
    assert (1.959964 + 0.841621) ** 2 * 2 * one == pytest.approx(0.001**2, rel=0.01)


def test_what_nobody_has_is_not_given() -> None:
    assert for_auroc_width(0.9, 1e-9, 1e-6) is None
    assert for_difference(0.9, 1e-9, 1e-6, 0.5, 0.8) is None
    assert for_slope_width(0.9, 1e-9, 1e-4) is None
    assert for_observed_to_expected_width(1e-12, 0.1) is None
    assert (for_observed_to_expected_width(0.5, 0.1) or MOST_RECORDS) < MOST_RECORDS


def test_records_of_one_patient_count_by_how_much_they_say() -> None:
    assert design_effect(3, 0.5) == 2.0
    assert patients_for(999, 3, 0.5) == 666
    assert patients_for(100, 1, 0.7) == 100
    assert patients_for(100, 4, 1.0) == 100
    assert patients_for(100, 4, 0.0) == 25
