"""Labels and scores put together again are those that were measured, or are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.metrics.curves import curve
from benchmark.records.locations import RecordFiles, in_run
from benchmark.records.measuring import CellFacts, RunSettings, measure
from benchmark.records.predictions import predictions_table, save_predictions
from benchmark.records.record import ResultRecord
from benchmark.records.scored import scored
from cohorts.catalogue import cohort_cards
from cohorts.errors import LeadboardError, UnknownNameError
from tests.benchmark.measured_cells import Store
from tests.benchmark.report.report_factory import record as made_by_hand

Cell = tuple[Store, ResultRecord, RecordFiles]


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """A measured cell with its predictions."""
    rng = np.random.default_rng(8)
    ids = [f"r{at:02}" for at in range(60)]
    index = pd.DataFrame({"record_id": ids, "patient_id": [f"p{at % 40}" for at in range(60)]})
    index = index.assign(age=50.0, sex="female")
    labels = pd.DataFrame({"AF": rng.choice([-1, 0, 1], 60, p=[0.2, 0.4, 0.4]).astype(np.int8)})
    left = pd.DataFrame({"record_id": [], "reason": []})
    store = Store(cohort_cards()["georgia"], "f00d", index, labels, left)
    scores = rng.normal(labels["AF"], 1.0).astype(np.float32)
    table = predictions_table(index["record_id"], scores[None, :, None], ("AF",))
    hand = made_by_hand("net", "georgia", {"AF": 0.9})
    facts = CellFacts("k", hand.model, "as-is", "external", "all", "georgia.parquet", hand.provenance)
    one, _ = measure(facts, table, store, np.arange(60), RunSettings(seed=2, resamples=200))
    files = in_run(tmp_path_factory.mktemp("cell") / "georgia.json")
    save_predictions(table, "k", files.predictions)
    return store, one, files


def test_they_give_the_area_of_the_record_and_the_resamples_its_interval(cell: Cell) -> None:
    store, one, files = cell
    found = scored(one, "AF", files, lambda cohort, /, *, signals=True: store)
    known = found.labels >= 0
    area = one.evaluation.concepts["AF"].auroc
    assert roc_auc_score(found.labels[known], found.scores[known]) == pytest.approx(area.value, abs=1e-12)
    assert found.groups.max() + 1 == one.evaluation.bootstrap.groups == 40
    made = curve("roc", found.labels, found.scores, found.groups, resamples=200, seed=2)
    assert np.trapezoid(made.y, made.x) == pytest.approx(area.value, abs=1e-12)


def test_what_was_not_measured_is_refused(cell: Cell, tmp_path: Path) -> None:
    store, one, files = cell
    flipped = replace(store, labels=store.labels.replace({0: 1, 1: 0}))
    other = predictions_table(store.index["record_id"], np.zeros((1, 60, 1), np.float32), ("AF",))
    save_predictions(other, "k", tmp_path / "other.parquet")

    def refused(given: Any, why: str, place: RecordFiles = files) -> None:
        with pytest.raises(LeadboardError, match=why):
            scored(one, "AF", place, lambda cohort, /, *, signals=True: given)

    refused(None, "not on this machine; give the folder")
    refused(replace(store, fingerprint="beef"), "another state of the release")
    refused(flipped, "labels of AF in georgia are not those")
    refused(store, "are not those that were measured", files._replace(predictions=tmp_path / "other.parquet"))
    with pytest.raises(UnknownNameError, match="PVC"):
        scored(one, "PVC", files, lambda cohort, /, *, signals=True: store)
