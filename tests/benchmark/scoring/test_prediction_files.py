"""Predictions that somebody brings: what is read, what is refused, and how they join a run."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.config import Places
from benchmark.models.cards import read_card
from benchmark.progress import Reporter
from benchmark.records.measuring import RunSettings
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.run_folder import load_run_file
from benchmark.report.writing import write_report
from benchmark.run.cohorts import prepare_cohort
from benchmark.scoring.on_cohort import read_submitted, score_submitted, settings_of
from benchmark.scoring.prediction_files import PredictionTable, read_prediction_file
from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Store, prepare
from tests.benchmark.tiny_run import SETTINGS, edit_json, make_places, make_run

CONCEPTS = frozenset(map(str, load_ontology().concepts.index))


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


def write(table: pd.DataFrame, folder: Path, kind: str) -> Path:
    path = folder / f"scores.{kind}"
    if kind == "parquet":
        table.to_parquet(path)
    elif kind == "csv":
        table.to_csv(path, index=False)
    elif kind == "tsv":
        table.to_csv(path, index=False, sep="\t", encoding="utf-8-sig")
    elif kind == "npz":
        np.savez(
            path, **{name: table[name].to_numpy(dtype=None if name != "record_id" else str) for name in table}
        )
    else:
        path = folder / "scores.npz"
        scores = table.drop(columns="record_id")
        ids = table["record_id"].to_numpy(dtype=str)
        np.savez_compressed(path, record_id=ids, scores=scores.to_numpy(), outputs=list(scores.columns))
    return path


def read(path: Path) -> PredictionTable:
    return read_prediction_file(path, CONCEPTS)


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("record_id,AF,AF\nE00001,1,2\n", "has more than one column 'AF'"),
        ("record_id,AF\nE00001,1\nE00002\n", "cannot be read as a table"),
        ("record_id,AF\nE00001,high\n", "has 'high' in column 'AF' of record 'E00001'"),
        ("record_id,AF\nE00001,\n", "that are missing, infinite or too large (1, the first"),
        ('record_id,"AF\nE00001,1\n', 'it has record_id,"AF'),
        ("\0\0\0\0,x\n", "not one line of CSV"),
        (",record_id,AF\n0,E00001,1\n", "Column 1 of"),
    ],
)
def test_odd_csv_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert words in str(caught.value)


def test_ids_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("record_id;AF\n007;1\n NA ;0.5\n1e3;0\n")
    assert list(read(path).ids) == ["007", "NA", "1e3"]
    np.savez(tmp_path / "scores.npz", record_id=np.array([7, 8]), AF=np.array([True, False]))
    assert list(read(tmp_path / "scores.npz").ids) == ["7", "8"]


def test_scores_that_single_precision_cannot_tell_apart_are_told(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("record_id,AF,LVH\na,0.9999999999,1\nb,0.99999999999,2\n")
    assert read(path).remarks == (
        "Many scores of AF differ by less than single precision keeps, and become ties.",
    )
    path.write_text("record_id,AF,LVH\na,0.1,1\nb,0.2,2\n")
    assert read(path).remarks == ()


def npz(path: Path, **arrays: Any) -> None:
    np.savez(path, **{"record_id": np.array(["a", "b"]), **arrays})


def pickled(path: Path) -> None:
    np.savez(path, record_id=np.array(["a"]), AF=np.array([{"x": 1}], dtype=object))


def bomb(path: Path) -> None:
    """An array whose header promises a terabyte, as a few bytes."""
    npz(path)
    header = str({"descr": "<f8", "fortran_order": False, "shape": (2**37,)}).encode()
    data = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n" + b"\0" * 16
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AF.npy", data)


def truncated(path: Path) -> None:
    npz(path, AF=np.zeros(2))
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (pickled, "cannot be read as npz of plain arrays"),
        (bomb, "cannot be read as npz of plain arrays"),
        (truncated, "cannot be read as npz of plain arrays"),
        (
            lambda path: path.write_bytes(b"PK\x03\x04" + b"\xff" * 60),
            "cannot be read as npz of plain arrays",
        ),
        (
            lambda path: npz(path, AF=np.zeros(3)),
            "do not all have one number per record: record_id (2,), AF (3,)",
        ),
        (lambda path: npz(path, AF=np.zeros((2, 1))), "do not all have one number per record"),
        (lambda path: npz(path, AF=np.array(["x", "y"])), "The array 'AF' of"),
        (lambda path: npz(path, AF=np.zeros(2, complex)), "The array 'AF' of"),
        (lambda path: npz(path, record_id=np.array([0.5, 1.5]), AF=np.zeros(2)), "are decimal numbers"),
        (lambda path: npz(path, scores=np.zeros((2, 3)), outputs=["AF", "LVH"]), "outputs names 2 concepts"),
        (lambda path: npz(path, scores=np.zeros((2, 2)), outputs=["AF", "AF"]), "outputs names 1 concepts"),
        (lambda path: npz(path, scores=np.zeros((2, 2)), outputs=["AF", "PTB"]), "Unknown concept 'PTB'"),
    ],
)
def test_odd_npz_is_refused(tmp_path: Path, make: Callable[[Path], Any], words: str) -> None:
    path = tmp_path / "scores.npz"
    make(path)
    with pytest.raises(UsageError) as caught:
        read(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "csv", "npz"])
def test_what_is_larger_than_any_table_is_not_read(
    kind: str, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(table, tmp_path, kind)
    monkeypatch.setattr("benchmark.scoring.tables.MOST_TABLE_BYTES", path.stat().st_size - 1)
    monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", path.stat().st_size - 1)
    with pytest.raises(UsageError, match="no table of scores has more"):
        read(path)


def test_a_packed_table_is_not_unpacked_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = pd.DataFrame({"record_id": [f"{at:06d}" for at in range(20_000)], "AF": np.zeros(20_000)})
    zeros.to_parquet(tmp_path / "zeros.parquet", compression="zstd")
    np.savez_compressed(tmp_path / "zeros.npz", record_id=np.arange(20_000), AF=np.zeros(20_000))
    for path in (tmp_path / "zeros.parquet", tmp_path / "zeros.npz"):
        assert path.stat().st_size < 280_000 < 2 * 8 * 20_000
        monkeypatch.setattr("benchmark.scoring.tables.MOST_TABLE_BYTES", 280_000)
        monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", 280_000)
        with pytest.raises(UsageError, match="no table of scores has more"):
            read(path)


def answer(path: Path) -> PredictionTable | str:
    """What is read, or the sentence that says why not."""
    try:
        return read(path)
    except UsageError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(start=st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"record_id,AF\n"]), rest=st.binary(max_size=200))
def test_garbage_is_answered_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(start + rest)
    found = answer(path)
    assert found.isprintable() if isinstance(found, str) else len(found.ids) == len(found.scores) > 0


@settings(max_examples=60, deadline=None)
@given(at=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255), kind=st.booleans())
def test_a_damaged_byte_is_noticed_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, kind: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = pd.DataFrame({"record_id": ["a", "b"], "AF": np.float32([0.25, 0.5])})
    path = write(content, folder, "npz" if kind else "parquet")
    data = bytearray(path.read_bytes())
    data[at % len(data)] = value
    path.write_bytes(data)
    found = answer(path)
    assert found.isprintable() if isinstance(found, str) else found.scores.shape[1] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trained_on: []", "The model has no name"),
        ("name: other\ntrained_on: []", "The card is of 'other', but --name says 'mine'"),
        ("name: no spaces\ntrained_on: []", "not valid: name"),
        ("name: mine", "not valid: trained_on"),
        ("name: mine\ntrained_on: [gerogia]", "Did you mean 'georgia'"),
        ("name: mine\ntrained_on: []\nauthor: me", "not valid: author"),
        ("name: mine\ntrained_on: []\noutputs: [AF]", "differ in their outputs (LVH)"),
        ("name: mine\ntrained_on: []\ninput: {sampling_rate: fast}", "not valid: input.sampling_rate"),
        ("- name: mine", "has no fields"),
        ("name: [", "is not valid YAML"),
        ("[" * 50_000, "is not valid YAML"),
        ("name: mine\n# " + "x" * 200_000, "a card is a page"),
        ("name: &a [*a]\ntrained_on: []", "is not valid YAML"),
        ("name: &a [x]\nversion: *a\ntrained_on: []", "it has an alias"),
        ("!!python/object/apply:os.system ['true']", "has no fields"),
    ],
)
def test_odd_cards_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_card(path, "mine" if "other" in text else None, ("AF", "LVH"))
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_card_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(
        "name: mine\nversion: 1.10\nprobabilities: true\ntrained_on: undisclosed\noutputs: [LVH, AF]\n"
        "input: {sampling_rate: 250, leads: [I, II]}\n"
    )
    card = read_card(path, None, ("AF", "LVH"))
    assert (card.name, card.version, card.probabilities, card.trained_on) == (
        "mine",
        "1.10",
        True,
        "undisclosed",
    )
    assert (card.input.sampling_rate, card.input.leads, card.outputs) == (250, ("I", "II"), ("AF", "LVH"))
    assert read_card(None, "mine", ("AF",)).trained_on == "undisclosed"
    with pytest.raises(UsageError, match="cannot be read"):
        read_card(tmp_path / "nothing.yaml", None, ("AF",))


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


@pytest.mark.parametrize("where", ["record_id", "fingerprint", "outputs"])
def test_halves_of_characters_in_an_npz_are_refused(tmp_path: Path, where: str) -> None:
    arrays: dict[str, Any] = {
        "record_id": np.array(["a", "b"]),
        "fingerprint": np.array(["f"]),
        "scores": np.zeros((2, 1)),
        "outputs": np.array(["AF"]),
    }
    arrays[where] = np.array([*arrays[where][:-1], "x\ud800"])
    np.savez(tmp_path / "scores.npz", **arrays)
    with pytest.raises(UsageError, match="hold what is no character") as caught:
        read(tmp_path / "scores.npz")
    assert str(caught.value).isprintable()
