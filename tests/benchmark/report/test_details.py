"""Details of the model view: curves are scikit-learn's, the rest is what the records say."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from benchmark.exchange.joining import Joined, one_run
from benchmark.records import predictions
from benchmark.records.predictions import load_predictions
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.records.scored import measured_cell
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.page import page as page_module
from benchmark.report.page import written as written_module
from benchmark.report.page.details import concepts_with_room, details
from benchmark.report.page.encoding import triple, units
from benchmark.report.writing import write_report
from cohorts.labelled import LabelledCohorts
from tests.benchmark.measured_cells import CONCEPTS, write_measured

PLACES = {concept: at for at, concept in enumerate(CONCEPTS)}
Run = tuple[Path, LabelledCohorts]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A measured run and its labels."""
    folder = tmp_path_factory.mktemp("run")
    return folder, write_measured(folder)


@pytest.fixture(scope="module")
def joined(run: Run) -> Joined:
    return one_run(run[0])


@pytest.fixture(scope="module")
def found(run: Run, joined: Joined) -> dict[str, Any]:
    return made(joined.records, joined, run[1])


def made(
    records: Sequence[ResultRecord],
    joined: Joined,
    labels: LabelledCohorts | None,
    concepts: Sequence[str] = CONCEPTS,
) -> dict[str, Any]:
    return details(records, PLACES, MeasuredCurves(concepts, records, joined.files, labels))


def each(joined: Joined, found: dict[str, Any], part: str) -> list[tuple[Any, str, Any]]:
    """Record, concept and detail, wherever there is this part."""
    return [
        (joined.records[int(cell)], concept, one[part])
        for concept in CONCEPTS
        for cell, one in of_cells(found["concepts"][str(PLACES[concept])]).items()
        if part in one
    ]


def of_cells(folded: dict[str, Any]) -> dict[int, Any]:
    """Turn what is in columns back, as the page's script does."""
    found: dict[int, Any] = {place: {} for place in folded["cells"]}
    for part in folded["parts"]:
        whole: list[list[Any]] = []
        for column, by in zip(part["columns"], part["near"], strict=True):
            of = [0] * len(column) if by < 0 else [0 if n is None else n for n in whole[by]]
            whole.append([n if n is None else n + m for n, m in zip(column, of, strict=True)])
        rows = iter(zip(*whole, strict=True))
        for cell, length in zip(part["cells"], part.get("rows", [1] * len(part["cells"])), strict=True):
            inner = found[folded["cells"][cell]]
            for name in part["path"][:-1]:
                inner = inner.setdefault(name, {})
            inner[part["path"][-1]] = [n for row in islice(rows, length) for n in row]
    return found


def test_points_are_on_the_curves_of_scikit_learn_at_their_thresholds(
    run: Run, joined: Joined, found: dict[str, Any]
) -> None:
    curves = each(joined, found, "curve")
    assert len(curves) == len(joined.records) * len(CONCEPTS)
    for record, concept, steps in curves:
        one = measured_cell(record, joined.files[name_of(record)], run[1]).of(concept)
        known = one.labels >= 0
        truth, scores = one.labels[known], one.scores[known].astype(np.float64)
        thresholds, called = np.array(steps[::3]), np.cumsum(np.reshape(steps, (-1, 3))[:, 1:], axis=0)
        x, y, at_roc = roc_curve(truth, scores, drop_intermediate=False)
        there = np.searchsorted(-at_roc, -thresholds, side="right") - 1
        tp, fp = called.T
        assert x[there] == pytest.approx(fp / np.sum(truth == 0), abs=1e-12)
        assert y[there] == pytest.approx(tp / np.sum(truth == 1), abs=1e-12)
        precision, recall, at_pr = precision_recall_curve(truth, scores)
        there = np.searchsorted(at_pr, thresholds)
        assert precision[there] == pytest.approx(tp / (tp + fp), abs=1e-12)
        assert recall[there] == pytest.approx(y[np.searchsorted(-at_roc, -thresholds, side="right") - 1])


def test_bins_are_those_of_scikit_learn_and_give_the_error_of_the_record(
    run: Run, joined: Joined, found: dict[str, Any]
) -> None:
    bins = each(joined, found, "bins")
    assert {record.model.name for record, _, _ in bins} == {"net", "two-fits", "encoder"}
    for record, concept, numbers in bins:
        one = measured_cell(record, joined.files[name_of(record)], run[1]).of(concept)
        known = one.labels >= 0
        observed, predicted = calibration_curve(one.labels[known], one.scores[known], n_bins=10)
        n, positives, said = np.reshape(numbers, (-1, 3)).T
        assert positives / n == pytest.approx(observed, abs=1e-12)
        assert said.tolist() == [units(p) for p in predicted]
        error = np.sum(np.abs(positives - n * predicted)) / np.sum(n)
        calibration = record.statistics.calibration.concepts[concept]
        assert error == pytest.approx(calibration.ece_equal_width, abs=1e-6)


def test_calls_calibration_and_groups_are_those_of_the_records(joined: Joined, found: dict[str, Any]) -> None:
    for record, concept, calls in each(joined, found, "calls"):
        for rule, called in record.statistics.calls[concept].items():
            rates = [*triple(called.sensitivity), *triple(called.specificity)]
            assert calls[rule][1:] == [called.tp, called.fp, *rates]
    for record, concept, numbers in each(joined, found, "calibration"):
        one = record.statistics.calibration.concepts[concept]
        assert numbers[:4] == [*triple(one.brier.score), units(one.mean_probability)]
        assert numbers[4:10] == [*triple(one.slope), *triple(one.intercept)]
    groups = each(joined, found, "groups")
    assert len(groups) == len(joined.records) * len(CONCEPTS)
    for record, concept, by in groups:
        for name, of in by.items():
            for group, numbers in of.items():
                one = record.statistics.subgroups[name].groups[group].concepts[concept]
                assert numbers == [*triple(one.auroc), one.n, one.positives]


def test_without_labels_there_are_no_curves_and_that_is_said(joined: Joined, found: dict[str, Any]) -> None:
    without = made(joined.records, joined, None)
    assert each(joined, without, "curve") == []
    [cells] = without["no_curves"].values()
    assert cells == list(range(len(joined.records)))
    assert found["no_curves"] == {}
    assert len(each(joined, without, "calls")) == len(each(joined, found, "calls"))


def test_labels_that_give_another_auroc_draw_nothing(joined: Joined, run: Run) -> None:
    first = joined.records[0]
    evaluation = first.evaluation.concepts["AF"]
    area = replace(evaluation.auroc, value=0.123)
    concepts = first.evaluation.concepts | {"AF": evaluation.model_copy(update={"auroc": area})}
    other = first.model_copy(
        update={"evaluation": first.evaluation.model_copy(update={"concepts": concepts})}
    )
    said = made([other], joined, run[1])
    assert said["no_curves"] == {"the AUROC of AF is not that of the record": [0]}


def test_whole_concepts_are_left_out_where_there_is_no_room(joined: Joined, run: Run) -> None:
    cohorts = {record.cohort.id for record in joined.records}
    assert set(concepts_with_room(joined.records, cohorts)) == set(CONCEPTS)
    [first] = concepts_with_room(joined.records, cohorts, most=10)
    few = made(joined.records, joined, run[1], [first])
    [kept] = few["concepts"]
    assert few["left_out"] == [place for place in PLACES.values() if str(place) != kept]
    assert few["concepts"][kept]["cells"] == list(range(len(joined.records)))


def test_a_page_that_became_too_large_leaves_out_concepts_and_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run[0], labels=run[1])
    whole = (run[0] / "leaderboard.html").stat().st_size
    monkeypatch.setattr(written_module, "PLAIN", 0)
    write_report(run[0], labels=run[1])
    packed = (run[0] / "leaderboard.html").stat().st_size
    assert packed < whole
    assert len(data_of(run[0])["details"]["concepts"]) == len(CONCEPTS) == 2
    monkeypatch.setattr(page_module, "MOST", packed - 1)
    write_report(run[0], labels=run[1])
    assert (run[0] / "leaderboard.html").stat().st_size < packed
    found = data_of(run[0])["details"]
    assert len(found["concepts"]) == len(found["left_out"]) == 1


def test_curves_and_mistakes_read_the_predictions_of_a_cell_once(
    joined: Joined, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def counting(path: Path) -> Any:
        read.append(path)
        return load_predictions(path)

    monkeypatch.setattr(predictions, "load_predictions", counting)
    predictions._latest.cache_clear()
    curves = MeasuredCurves(CONCEPTS, joined.records, joined.files, run[1])
    for record in map(curves.seen, joined.records):
        path = joined.files[name_of(record)].predictions
        assert predictions.measured_predictions(path, record.predictions.sha256) is not None
    details(joined.records, PLACES, curves)
    assert read == [joined.files[name_of(record)].predictions for record in joined.records]


def data_of(folder: Path) -> Any:
    page = (folder / "leaderboard.html").read_text()
    shown = re.search(r'<script type="([^"]*)" id="data">(.*?)</script>', page, re.S)
    assert shown is not None
    if shown[1] == "application/json":
        return json.loads(shown[2])
    return json.loads(zlib.decompress(base64.b64decode(shown[2])))


def test_the_page_has_them(run: Run, found: dict[str, Any]) -> None:
    write_report(run[0], labels=run[1])
    data = data_of(run[0])
    assert data["details"]["concepts"] == found["concepts"]
    assert sorted(data["shares"].values()) == [["linear-probe", 1], ["linear-probe", 100]]
    [gaps] = data["gaps"]
    [net] = gaps["entries"]
    assert data["entries"][int(net)]["model"] == "net"
    assert len(gaps["entries"][net]["pairs"]) == 1
