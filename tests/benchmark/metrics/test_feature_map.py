"""The hospital is told from features that know it, and from no others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmark.metrics.feature_map import FeatureMap, map_features


def mapped(shift: float, patients: list[str] | None = None) -> FeatureMap:
    rng = np.random.default_rng(0)
    cohorts = ["one"] * 60 + ["two"] * 60 + ["three"] * 60
    features = rng.normal(0, 1, (180, 8)).astype(np.float32)
    features[:, 0] += shift * np.repeat([0, 1, 2], 60)
    people = patients or [f"{cohort} {at}" for at, cohort in enumerate(cohorts)]
    labels = pd.DataFrame({"AF": rng.integers(-1, 2, 180).astype(np.int8)})
    return map_features(features, cohorts, people, labels, resamples=200)


def test_features_that_know_the_hospital() -> None:
    found = mapped(20.0)
    assert found.hospital.value is not None
    assert found.hospital.value > 0.99
    assert set(found.of_cohort) == {"one", "two", "three"}
    assert list(found.points) == ["cohort", "AF", "x", "y"]
    assert np.isfinite(found.points[["x", "y"]].to_numpy()).all()


def test_features_that_do_not() -> None:
    found = mapped(0.0)
    assert found.hospital.low is not None
    assert found.hospital.high is not None
    assert found.hospital.low < 0.5 + 0.06
    assert found.hospital.high > 0.5 - 0.06


def test_a_patient_is_never_on_both_sides() -> None:
    # Every patient has a mark of its own, which a regression could learn by heart; nothing else is there.
    rng = np.random.default_rng(1)
    cohorts = np.repeat(["one", "two"], 60)
    people = [f"{cohort} {at // 6}" for cohort, at in zip(cohorts, range(120), strict=True)]
    marks = {person: rng.normal(0, 1, 40) for person in sorted(set(people))}
    features = np.stack([marks[person] for person in people]).astype(np.float32)
    labels = pd.DataFrame({"AF": np.zeros(120, np.int8)})
    found = map_features(features, list(cohorts), people, labels, resamples=100)
    assert found.hospital.value is not None
    assert found.hospital.value < 0.8


def test_the_same_seed_gives_the_same_map() -> None:
    pd.testing.assert_frame_equal(mapped(1.0).points, mapped(1.0).points)
