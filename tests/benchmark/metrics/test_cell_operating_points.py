"""Thresholds of a cell: what they were chosen on, which are applied, and records that call them cuts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmark.metrics.cell.operating_points import (
    ConceptThresholds,
    calls_at,
    concept_thresholds,
    usable_thresholds,
)

LABELS = pd.DataFrame(
    {"AF": [1, 1, 0, 0, 0, -1, -1], "SB": [0, 0, 0, 0, -1, -1, -1], "WPW": [0, 0, 1, 1, 0, 0, 0]},
    dtype=np.int8,
)
SCORES = pd.DataFrame(
    {
        "WPW": [0.9, 0.1, 0.2, 0.3, 0.1, 0.1, 0.1],
        "AF": [0.8, 0.6, 0.4, 0.2, 0.1, 0.9, 0.9],
        "SB": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
    }
)


def test_thresholds_say_how_many_records_they_were_chosen_on() -> None:
    found = concept_thresholds(LABELS, SCORES)

    assert {name: (one.n, one.positives) for name, one in found.items()} == {
        "AF": (5, 2),
        "SB": (4, 0),
        "WPW": (7, 2),
    }


def test_thresholds_by_hand() -> None:
    """AF is separated between 0.4 and 0.6; a negative has the highest score of WPW, at 0.9."""
    found = concept_thresholds(LABELS, SCORES)

    assert found["AF"].thresholds == {"youden": 0.5, "sensitivity 90 %": 0.5, "specificity 90 %": 0.5}
    assert found["AF"].reason is None
    assert found["SB"].thresholds == dict.fromkeys(("youden", "sensitivity 90 %", "specificity 90 %"))
    assert found["SB"].reason == "no positive record"
    at = (0.2 + 0.1) / 2
    assert found["WPW"].thresholds == {"youden": at, "sensitivity 90 %": at, "specificity 90 %": None}
    assert found["WPW"].reason == "even the highest score alone is less specific"


def test_only_thresholds_that_exist_are_applied() -> None:
    chosen = concept_thresholds(LABELS, SCORES)
    found = calls_at(LABELS, SCORES, np.arange(7), chosen, resamples=10, seed=0)

    assert usable_thresholds(chosen, "nothing") == usable_thresholds(chosen, "SB") == {}
    assert {name: list(rules) for name, rules in found.items()} == {
        "AF": ["youden", "sensitivity 90 %", "specificity 90 %"],
        "WPW": ["youden", "sensitivity 90 %"],
    }
    af, wpw = found["AF"]["youden"], found["WPW"]["youden"]
    assert (af.threshold, af.tp, af.fp, af.fn, af.tn) == (0.5, 2, 0, 0, 3)
    assert (wpw.tp, wpw.fp, wpw.fn, wpw.tn) == (2, 1, 0, 4)
    assert (wpw.ppv.value, wpw.specificity.value) == (2 / 3, 4 / 5)
    assert calls_at(LABELS[["SB"]], SCORES[["SB"]], np.arange(7), chosen, resamples=10, seed=0) == {}


def test_records_that_call_them_cuts_are_read() -> None:
    found = concept_thresholds(LABELS, SCORES)["WPW"]
    text = found.model_dump_json()
    older = json.loads(text)
    older["cuts"] = older.pop("thresholds")

    assert ConceptThresholds.model_validate_json(text) == found
    assert ConceptThresholds.model_validate_json(json.dumps(older)) == found
