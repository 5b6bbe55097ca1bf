"""Predictions that somebody brings: what is read, what is refused, and how they join a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.records.measuring import RunSettings
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.run_folder import load_run_file
from benchmark.report.writing import write_report
from benchmark.run.cohorts import prepare_cohort
from benchmark.scoring.on_cohort import read_submitted, score_submitted, settings_of
from benchmark.scoring.prediction_files import read_prediction_file
from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.preparing import prepare
from cohorts.store import Store
from tests.benchmark.scoring.table_files import write
from tests.benchmark.tiny_run import SETTINGS, edit_json, make_places, make_run


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def store(places: Places) -> Store:
    cohort = open_cohort("georgia", places.data)
    assert cohort is not None
    return prepare(cohort, places.cache)


@pytest.fixture(scope="module")
def table(store: Store) -> pd.DataFrame:
    """Scores of every record of Georgia, in an order of their own."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(len(store), 2)).astype(np.float32)
    scores[:, 0] += store.labels["AF"].to_numpy()
    content = pd.DataFrame(scores, columns=["AF", "LVH"])
    content.insert(0, "record_id", store.index["record_id"])
    return content.sample(frac=1, random_state=1).reset_index(drop=True)


def score(file: Path, places: Places, run: Path, **more: Any) -> ResultRecord:
    more = {"name": "mine", **more}
    cohort, allow_missing = more.pop("cohort", "georgia"), more.pop("allow_missing", False)
    reporter = Reporter()
    submitted = read_submitted(file, **more)
    store = prepare_cohort(cohort, places, reporter)
    return score_submitted(submitted, store, run, SETTINGS, reporter.say, allow_missing=allow_missing)


@pytest.mark.parametrize("kind", ["parquet", "csv", "tsv", "npz", "npz matrix"])
def test_every_format_gives_what_scikit_learn_gives(
    kind: str, table: pd.DataFrame, store: Store, places: Places, tmp_path: Path
) -> None:
    record = score(write(table, tmp_path, kind), places, tmp_path / "run")
    by_id = table.set_index("record_id").loc[store.index["record_id"]]
    for concept in ("AF", "LVH"):
        truth = store.labels[concept].to_numpy()
        known = truth >= 0
        metrics = record.evaluation.concepts[concept]
        scores = by_id[concept].to_numpy()[known]
        assert metrics.auroc.value == pytest.approx(roc_auc_score(truth[known], scores), abs=1e-12)
        assert metrics.auprc.value == pytest.approx(average_precision_score(truth[known], scores), abs=1e-12)
    assert 0.5 < (record.evaluation.concepts["AF"].auroc.value or 0) < 1
    assert (record.protocol, record.relation, record.records.scored) == ("predictions", "unknown", 40)
    assert record.cohort.fingerprint == store.fingerprint
    assert load_record(tmp_path / "run/mine/predictions/georgia.json") == record


def test_a_first_table_begins_a_run_and_warns_of_nothing(
    table: pd.DataFrame, places: Places, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    score(write(table, tmp_path, "csv"), places, run)
    score(write(table, tmp_path, "csv"), places, run, name="other")
    assert [cell.model for cell in load_run_file(run).cells] == ["mine", "other"]
    assert not caplog.messages


def test_they_stand_beside_the_models_of_a_run(table: pd.DataFrame, places: Places, tmp_path: Path) -> None:
    run = make_run(tmp_path, places)
    file, card = write(table, tmp_path, "parquet"), tmp_path / "card.yaml"
    card.write_text("name: theirs\nversion: 1.0\ntrained_on: [ptb-xl]\n")
    record = score(file, places, run, name=None, card=card)
    assert (record.relation, record.model.version) == ("external", "1.0")
    score(file, places, run, name=None, card=card)  # again: in its own place
    cells = [(cell.model, cell.protocol, cell.cohort) for cell in load_run_file(run).cells]
    assert cells == [
        ("noisy", "as-is", "georgia"),
        ("noisy", "as-is", "ptb-xl"),
        ("mine", "predictions", "georgia"),
        ("theirs", "predictions", "georgia"),
    ]
    write_report(run)
    assert "| theirs | predictions |" in (run / "leaderboard.md").read_text()
    assert settings_of(run, None, None) == SETTINGS
    with pytest.raises(UsageError, match="50 resamples and seed 0"):
        settings_of(run, 1, None)
    assert settings_of(tmp_path, 1, None) == RunSettings(seed=1)
    edit_json(run / "noisy/as-is/georgia.json", lambda content: content["cohort"].update(fingerprint="old"))
    with pytest.raises(UsageError, match=r"noisy on georgia in .* is from other data"):
        score(file, places, run)


def test_missing_records_are_an_error_or_said_beside_the_result(
    table: pd.DataFrame, places: Places, tmp_path: Path
) -> None:
    partly = table[~table["record_id"].isin(["E00003", "E00001"])]
    file = write(partly, tmp_path, "csv")
    with pytest.raises(
        UsageError, match=r"2 of the 40 records of georgia have no prediction \(E00001, E00003\)"
    ):
        score(file, places, tmp_path / "run")
    record = score(file, places, tmp_path / "run", allow_missing=True)
    note = "No prediction was submitted for 2 of 40 records (E00001, E00003); they are left out."
    assert record.evaluation.notes == (note,)
    assert (record.records.found, record.records.scored, record.records.unselected) == (40, 38, 2)
    write_report(tmp_path / "run")
    for name in ("leaderboard.md", "leaderboard.html", "leaderboard.json"):
        assert "2 of 40 records (E00001, E00003)" in (tmp_path / "run" / name).read_text(), name


def test_an_internal_cohort_is_measured_on_its_test_fold(places: Places, tmp_path: Path) -> None:
    cohort = open_cohort("ptb-xl", places.data)
    assert cohort is not None
    index = prepare(cohort, places.cache).index
    scores = pd.DataFrame({"record_id": index["record_id"], "AF": np.arange(len(index), dtype=float)})
    fold = scores[index["fold"] == 10]
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"name": "mine", "trained_on": ["ptb-xl"]}))
    for given_scores in (scores, fold):  # more than the fold is no error
        file = write(given_scores, tmp_path, "parquet")
        record = score(file, places, tmp_path / "run", card=card, cohort="ptb-xl")
        assert (record.relation, record.records.selection) == ("internal", "test")
        assert record.records.scored == len(fold) < record.records.unselected
    file = write(scores[index["fold"] != 10], tmp_path, "parquet")
    with pytest.raises(UsageError, match=f"None of the {len(fold)} test records of ptb-xl"):
        score(file, places, tmp_path / "run", card=card, cohort="ptb-xl", allow_missing=True)


def test_the_fingerprint_of_the_cohort_is_believed(
    table: pd.DataFrame, store: Store, places: Places, tmp_path: Path
) -> None:
    file = tmp_path / "scores.parquet"
    plain = pa.Table.from_pandas(table, preserve_index=False)
    for fingerprint in (store.fingerprint, "0" * 64):
        in_metadata = plain.replace_schema_metadata({"fingerprint": fingerprint})
        as_column = pa.Table.from_pandas(table.assign(fingerprint=fingerprint), preserve_index=False)
        for content in (in_metadata, as_column):
            pq.write_table(content, file)
            if fingerprint == store.fingerprint:
                assert score(file, places, tmp_path / "run").records.scored == 40
            else:
                with pytest.raises(
                    UsageError, match=r"made on another state of georgia: .* 0000000000000000000…"
                ):
                    score(file, places, tmp_path / "run")
    arrays = {name: table[name].to_numpy(dtype=None if name != "record_id" else str) for name in table}
    np.savez(tmp_path / "f.npz", fingerprint=store.fingerprint, **arrays)
    assert score(tmp_path / "f.npz", places, tmp_path / "run").records.scored == 40


def to_object(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(AF=[{"score": 1}] * len(table))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda t: t.drop(columns="record_id"), "has no column record_id (it has AF, LVH)"),
        (lambda t: t[["record_id"]], "has no column of scores beside record_id"),
        (lambda t: t.rename(columns={"AF": "AFIBB"}), "Unknown concept 'AFIBB'. Did you mean"),
        (lambda t: t.rename(columns={"AF": "AF\x1b[2J"}), "Unknown concept 'AF'"),
        (lambda t: t.assign(AF=np.nan), "that are missing, infinite or too large (40, the first"),
        (
            lambda t: t.assign(AF=[np.inf, *t["AF"][1:]]),
            "that are missing, infinite or too large (1, the first",
        ),
        (lambda t: t.assign(AF=[1e300, *t["AF"][1:]]), "too large (1, the first of record E"),
        (lambda t: t.assign(AF="high"), "Column 'AF' of"),
        (to_object, "Column 'AF' of"),
        (lambda t: t.assign(record_id=np.arange(40) + 0.5), "are decimal numbers; write them as text"),
        (lambda t: t.assign(record_id=["", *t["record_id"][1:]]), "has no record_id in row 1"),
        (lambda t: pd.concat([t, t.iloc[:2]]), "has 2 record_ids in more than one row (E"),
        (lambda t: t.assign(record_id="X" + t["record_id"]), "40 of 40 records are not of georgia (XE"),
        (lambda t: t.assign(record_id="X" + t["record_id"]), "its ids are like E00001, E00002, E00003"),
        (lambda t: t.assign(fingerprint=["a", *["b"] * 39]), "does not give one fingerprint"),
        (lambda t: t.iloc[:0].astype({"AF": "float32"}), "has a header but no rows"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(
    table: pd.DataFrame,
    places: Places,
    tmp_path: Path,
    edit: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    file = write(edit(table.copy()), tmp_path, "parquet")
    with pytest.raises(UsageError) as caught:
        score(file, places, tmp_path / "run", allow_missing=True)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "run").exists()


def test_a_cohort_that_is_not_here_and_a_file_that_is_not_there(
    table: pd.DataFrame, places: Places, tmp_path: Path
) -> None:
    file = write(table, tmp_path, "csv")
    with pytest.raises(UsageError, match=r"ningbo was not found in .*; put the release there"):
        score(file, places, tmp_path / "run", cohort="ningbo")
    with pytest.raises(UsageError, match="Did you mean 'georgia'"):
        score(file, places, tmp_path / "run", cohort="gerogia")
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    with pytest.raises(UsageError, match="No such file"):
        score(tmp_path / "nothing.csv", places, tmp_path / "run")


@pytest.mark.parametrize("kind", ["parquet", "csv", "npz"])
def test_what_is_larger_than_any_table_is_not_read(
    kind: str, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(table, tmp_path, kind)
    monkeypatch.setattr("benchmark.scoring.tables.MOST_TABLE_BYTES", path.stat().st_size - 1)
    monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", path.stat().st_size - 1)
    with pytest.raises(UsageError, match="no table of scores has more"):
        read_prediction_file(path, frozenset({"AF", "LVH"}))
