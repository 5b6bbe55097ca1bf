"""Thresholds are chosen again when a record is verified, from the scores that it names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.records.findings import Verification
from benchmark.records.predictions import content_hash, load_predictions, save_predictions
from benchmark.records.submission import pack
from benchmark.records.verification import verify
from benchmark.run.cohorts import labelled
from cohorts.errors import LeadboardError
from cohorts.labelled import Labelled
from tests.benchmark.tiny_run import edit_json, reseal

GEORGIA = "noisy/as-is/georgia.json"


def check(path: Path, places: Places, without: str = "") -> Verification:
    """Verify, as if a cohort were not on this machine."""
    stores = labelled(places, Reporter())

    def give(cohort: str, *, signals: bool = True) -> Labelled | None:
        return None if cohort == without else stores(cohort, signals=signals)

    return verify(path, give)


def said(found: Verification) -> list[str]:
    return [what for _, what in found.differences]


def edit_thresholds(run: Path, **changes: Any) -> None:
    edit_json(run / GEORGIA, lambda record: record["provenance"]["thresholds"].update(changes))


def of_af(field: str, value: Any) -> Callable[[Any], Any]:
    def edit(record: Any) -> None:
        record["provenance"]["thresholds"]["concepts"]["AF"][field] = value

    return edit


def test_genuine_thresholds_agree_in_a_run_a_record_and_a_submission(
    run: Path, places: Places, tmp_path: Path
) -> None:
    submission = pack(run, tmp_path / "to", "noisy")[0]
    for path in (run, run / GEORGIA, submission, submission / "records/as-is/georgia.json"):
        found = check(path, places)
        assert not found.differences
        assert not found.unchecked


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (of_af("n", 1), "provenance.thresholds.concepts.AF.n is stated as 1, but it is"),
        (of_af("positives", 1), "provenance.thresholds.concepts.AF.positives is stated as 1, but it is"),
        (
            of_af("thresholds", {"youden": 0.5, "sensitivity 90 %": 0.5, "specificity 90 %": 0.5}),
            "provenance.thresholds.concepts.AF.thresholds.youden is stated as 0.5, but it is",
        ),
    ],
)
def test_edited_thresholds_are_named(
    run: Path, places: Places, edit: Callable[[Any], Any], words: str
) -> None:
    edit_json(run / GEORGIA, edit)
    assert any(what.startswith(words) for what in said(check(run / GEORGIA, places)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"records": 3}, "provenance.thresholds.records is stated as 3, but it is"),
        ({"fits": 2}, "provenance.thresholds.fits is stated as 2, but it is 1"),
        ({"source": None}, "has thresholds, but does not say which cohort they were chosen on"),
        (
            {"source": "georgia"},
            "has thresholds that must not be applied: they are chosen on records of georgia",
        ),
        ({"predictions_sha256": "0" * 64}, "has other predictions on the validation fold than its"),
    ],
)
def test_where_they_come_from_is_checked(
    run: Path, places: Places, changes: dict[str, Any], words: str
) -> None:
    edit_thresholds(run, **changes)
    assert any(what.startswith(words) for what in said(check(run / GEORGIA, places)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "0" * 64}, "thresholds: this is not the state of ptb-xl that they were chosen on"),
        ({"labelling": "0" * 64}, "thresholds: the labels of ptb-xl are of another ontology"),
        ({"source": "nowhere"}, "thresholds: cohort nowhere is not on this machine"),
    ],
)
def test_what_cannot_be_chosen_again_is_said_to_be_unchecked(
    run: Path, places: Places, changes: dict[str, Any], words: str
) -> None:
    edit_thresholds(run, **changes)
    found = check(run / GEORGIA, places)
    assert not found.differences
    assert [what for _, what in found.unchecked] == [words]


def test_records_of_earlier_versions_do_not_name_the_labels_and_agree(run: Path, places: Places) -> None:
    def as_it_was(record: Any) -> None:
        thresholds = record["provenance"]["thresholds"]
        del thresholds["labelling"]
        for concept in thresholds["concepts"].values():
            concept["cuts"] = concept.pop("thresholds")

    edit_json(run / GEORGIA, as_it_was)
    found = check(run / GEORGIA, places)
    assert not found.differences
    assert not found.unchecked


def test_without_the_source_or_its_scores_they_are_unchecked_by_name(run: Path, places: Places) -> None:
    found = check(run / GEORGIA, places, without="ptb-xl")
    assert [what for _, what in found.unchecked] == ["thresholds: cohort ptb-xl is not on this machine"]
    (run / "noisy/as-is/validation.parquet").unlink()
    found = check(run / GEORGIA, places)
    assert [what for _, what in found.unchecked] == [
        "thresholds: the predictions on the validation fold of ptb-xl are not there"
    ]
    assert not found.differences


def test_a_source_that_cannot_be_prepared_leaves_them_unchecked(run: Path, places: Places) -> None:
    stores = labelled(places, Reporter())

    def give(cohort: str, *, signals: bool = True) -> Labelled | None:
        if cohort == "ptb-xl":
            raise LeadboardError("the disk is full")
        return stores(cohort, signals=signals)

    found = verify(run / GEORGIA, give)
    assert [what for _, what in found.unchecked] == ["thresholds: the disk is full"]


def forge(run: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the scores on the validation fold, and make the record say that these are the ones."""
    path = run / "noisy/as-is/validation.parquet"
    table, key = load_predictions(path)
    table = edit(table)
    save_predictions(table, key, path)
    edit_thresholds(run, predictions_sha256=content_hash(table))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda t: t.iloc[::-1].reset_index(drop=True), "has thresholds from other records than the valid"),
        (lambda t: t.iloc[1:].reset_index(drop=True), "has thresholds from other records than the valid"),
        (lambda t: t.assign(AF=-t["AF"]), "provenance.thresholds.concepts.AF.thresholds.youden is stated as"),
        (lambda t: t[["record_id", "LVH", "AF"]], "has predictions of LVH, AF on the validation fold"),
        (
            lambda t: t.assign(AF=np.full(len(t), np.inf, np.float32)),
            "has predictions on the validation fold that are not finite",
        ),
    ],
)
def test_forged_scores_on_the_validation_fold_are_named(
    run: Path, places: Places, edit: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    forge(run, edit)
    assert any(what.startswith(words) for what in said(check(run / GEORGIA, places)))


def test_damaged_scores_on_the_validation_fold_are_named_and_not_packed(
    run: Path, places: Places, tmp_path: Path
) -> None:
    path = run / "noisy/as-is/validation.parquet"
    path.write_bytes(b"PAR1")
    (words,) = said(check(run / GEORGIA, places))
    assert str(path) in words
    with pytest.raises(LeadboardError, match="cannot be read"):
        pack(run, tmp_path / "to", "noisy")


def test_a_submission_without_the_scores_leaves_thresholds_unchecked(
    run: Path, places: Places, tmp_path: Path
) -> None:
    submission = pack(run, tmp_path / "to", "noisy")[0]
    shutil.rmtree(submission / "validation")
    found = check(reseal(submission), places)
    assert not found.differences
    assert [where for where, _ in found.unchecked] == ["records/as-is/georgia.json"]


def test_scores_of_no_record_are_no_file_of_a_submission(run: Path, tmp_path: Path, places: Places) -> None:
    submission = pack(run, tmp_path / "to", "noisy")[0]
    shutil.copyfile(submission / "validation/as-is.parquet", submission / "validation/zero-shot.parquet")
    found = check(reseal(submission), places)
    assert [str(where) for where, _ in found.differences] == ["validation/zero-shot.parquet"]


def test_scores_on_a_closed_source_are_not_packed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cohorts.catalogue import measured_cards

    cards = measured_cards()
    closed = {**cards, "ptb-xl": cards["ptb-xl"].model_copy(update={"access": "credentialed"})}
    monkeypatch.setattr("benchmark.records.submission.measured_cards", lambda: closed)
    submission = pack(run, tmp_path / "to", "noisy")[0]
    assert not (submission / "validation").exists()
