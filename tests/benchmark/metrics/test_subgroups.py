"""Groups of the records of a cell: which are compared, on which concepts, and age bands."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pandas as pd

from benchmark.metrics.cell import subgroups
from benchmark.metrics.cell.subgroups import age_bands, grouping

RECORDS = 500


def cohort() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and scores of two concepts."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({name: rng.random(RECORDS) < p for name, p in (("AF", 0.2), ("SB", 0.4))})
    return labels.astype(np.int8), labels + rng.normal(size=labels.shape)


def test_age_bands() -> None:
    assert age_bands([0, 39.9, 60, 80], (60,)) == ["under 60", "under 60", "60 and over", "60 and over"]
    assert age_bands([]) == []
    assert doctest.testmod(subgroups).failed == 0


def test_a_small_group_takes_the_concepts_of_the_others_not_away() -> None:
    labels, scores = cohort()
    members = ["A"] * 230 + ["B"] * 258 + ["C"] * 12
    found = grouping(
        labels[["AF", "SB"]],
        scores[["AF", "SB"]],
        members,
        np.arange(RECORDS),
        minimum=10,
        resamples=50,
        seed=0,
    )
    assert found.common == ("AF", "SB")
    assert found.groups["C"].macro.value is None
    assert found.groups["C"].concepts["SB"].n == 12
    assert found.gap is not None
    assert {found.gap.highest, found.gap.lowest} == {"A", "B"}


def test_as_many_pairs_of_group_and_concept_as_possible_are_compared() -> None:
    """A and B have enough of three concepts, C of one: 2 x 3 pairs are more than 3 x 1."""
    labels = pd.DataFrame({name: [1] * 2 + [0] * 2 for name in ("AF", "SB", "PVC")}, dtype=np.int8)
    labels = pd.concat([labels] * 3, ignore_index=True)
    labels.loc[8:, ["SB", "PVC"]] = 0
    scores = labels + np.linspace(0, 1.5, 12)[:, None]
    members = [name for name in "ABC" for _ in range(4)]
    settings: dict[str, Any] = {"minimum": 2, "resamples": 50, "seed": 0}
    found = grouping(labels, scores, members, np.arange(12), **settings)
    single = grouping(labels[["AF"]], scores[["AF"]], members, np.arange(12), **settings)

    assert found.common == ("AF", "SB", "PVC")
    assert [name for name, group in found.groups.items() if group.macro.value is not None] == ["A", "B"]
    assert [name for name, group in single.groups.items() if group.macro.value is not None] == ["A", "B", "C"]
    af = {name: group.concepts["AF"].auroc.value or 0 for name, group in single.groups.items()}
    gap = single.concept_gaps["AF"]
    assert gap.difference.value == max(af.values()) - min(af.values())
    assert (af[gap.highest], af[gap.lowest]) == (max(af.values()), min(af.values()))
    assert [(c.n, c.positives) for c in found.groups["C"].concepts.values()] == [(4, 2), (4, 0), (4, 0)]
    assert set(found.concept_gaps) == {"AF", "SB", "PVC"}


def test_twenty_groups_are_measured_and_twenty_one_are_no_grouping() -> None:
    labels, scores = cohort()
    settings: dict[str, Any] = {"minimum": 10, "resamples": 2, "seed": 0}
    for kinds, measured_groups in ((20, 20), (21, 0)):
        members = [f"site {at % kinds:02d}" for at in range(RECORDS)]
        found = grouping(labels[["SB"]], scores[["SB"]], members, np.arange(RECORDS), **settings)
        assert len(found.groups) == measured_groups


def test_a_column_of_ids_is_no_grouping() -> None:
    labels, scores = cohort()
    found = grouping(
        labels[["AF"]], scores[["AF"]], range(RECORDS), np.arange(RECORDS), minimum=10, resamples=5, seed=0
    )
    assert found.groups == {}
    assert found.reason == "500 different values are no grouping; at most 20 are measured"
