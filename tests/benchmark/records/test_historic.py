"""Records as earlier versions have written them: the files of ``historic`` are kept from then, unchanged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmark.records.migration import migrated
from benchmark.records.predictions import content_hash, load_predictions, predictions_path
from benchmark.records.record import SCHEMA_VERSION, ResultRecord, load_record
from benchmark.report.writing import write_report
from cohorts.errors import LeadboardError

HISTORIC = Path(__file__).with_name("historic")
RECORDS = sorted(HISTORIC.glob("schema-*/*/*/*.json"))
SCHEMAS = sorted(HISTORIC.iterdir())


def called(path: Path) -> str:
    return "/".join(path.relative_to(HISTORIC).parts[:2])


def test_there_is_one_of_each_schema() -> None:
    assert [folder.name for folder in SCHEMAS] == [f"schema-{at}" for at in range(1, SCHEMA_VERSION + 1)]
    for path in RECORDS:
        assert path.parents[2].name == f"schema-{json.loads(path.read_text())['schema_version']}"


@pytest.mark.parametrize("path", RECORDS, ids=called)
def test_what_a_record_states_is_read_unchanged(path: Path) -> None:
    record, stated = load_record(path), json.loads(path.read_text())
    assert record.schema_version == SCHEMA_VERSION
    assert_contains(record.model_dump(mode="json"), stated)
    assert content_hash(load_predictions(predictions_path(path))[0]) == record.predictions.sha256


def assert_contains(found: Any, stated: Any, where: str = "") -> None:
    """Every value that the file states is in the record; the record may state more."""
    if where in (".schema_version", ".weights_sha256", ".training"):
        return
    if isinstance(stated, dict):
        for name, value in stated.items():
            assert_contains(found["thresholds" if name == "cuts" else name], value, f"{where}.{name}")
    else:
        assert found == stated, where


def test_a_training_of_schema_1_was_one_of_all_labels() -> None:
    path = HISTORIC / "schema-1/age-sex/as-is/georgia.json"
    record, stated = load_record(path), json.loads(path.read_text())
    (fit,) = record.training
    assert (fit.percent, fit.precision) == (100, "32-true")
    assert fit.model_dump(exclude={"percent", "precision"}) == stated["training"]
    assert record.weights_sha256 == (stated["weights_sha256"],)
    assert record.pretraining is None
    assert load_record(HISTORIC / "schema-1/noisy/as-is/georgia.json").training == ()


@pytest.mark.parametrize("schema", [1, 2])
def test_what_was_not_measured_then_is_undefined_with_the_reason(schema: int) -> None:
    found = load_record(HISTORIC / f"schema-{schema}/noisy/as-is/georgia.json").statistics
    assert (found.concepts, found.calls, found.subgroups, found.calibration) == ({}, {}, {}, None)
    assert found.macro_auprc_at_reference.value is None
    assert found.macro_auprc_at_reference.reason == found.why_no_calls == found.why_no_calibration
    assert found.why_no_calls is not None
    assert "earlier schema" in found.why_no_calls


@pytest.mark.parametrize("folder", SCHEMAS, ids=lambda folder: folder.name)
def test_a_run_from_then_is_shown_with_its_numbers(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    write_report(tmp_path / "run")
    page = (tmp_path / "run/leaderboard.md").read_text("utf-8")
    assert (
        "| georgia (simulated) | noisy | as-is | external | all records | 108 | 0 | 0.411 [0.268, 0.569]"
        in page
    )


def test_a_record_of_the_future_is_said_to_be_one(tmp_path: Path) -> None:
    content = json.loads((HISTORIC / "schema-3/noisy/as-is/georgia.json").read_text())
    path = tmp_path / "georgia.json"
    path.write_text(json.dumps(content | {"schema_version": SCHEMA_VERSION + 1, "more": 1}))
    with pytest.raises(LeadboardError, match="schema 4, and this version reads up to 3; install a newer one"):
        load_record(path)


@pytest.mark.parametrize("content", [[], None, 1, {}, {"schema_version": "1"}, {"schema_version": True}])
def test_what_is_no_record_is_left_as_it_is(content: Any) -> None:
    assert migrated(content) is content


@pytest.mark.parametrize("training", [[], "x", {"source": 1}, 0])
@pytest.mark.parametrize("schema", [1, 2])
def test_a_strange_training_is_refused_and_no_error_of_ours(
    schema: int, training: Any, tmp_path: Path
) -> None:
    content = json.loads((HISTORIC / f"schema-{schema}/noisy/as-is/georgia.json").read_text())
    path = tmp_path / "georgia.json"
    path.write_text(json.dumps(content | {"training": training}))
    if schema == 2 and training == []:
        assert isinstance(load_record(path), ResultRecord)
        return
    with pytest.raises(LeadboardError, match="is not a result record"):
        load_record(path)
