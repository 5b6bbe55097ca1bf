"""An aggregate submission: useful figures in it, and nothing of a record in any of its bytes."""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.config import Places
from benchmark.exchange.aggregate import AggregateManifest
from benchmark.exchange.checking import SELF_REPORTED, verify
from benchmark.exchange.packing import Parcel, prepare_parcel, write_parcel
from benchmark.records.manifest import hashes
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.records.submission import pack
from cohorts.catalogue import find_cohort
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.exchange.leaks import counts, found_in, json_files, numbers, scores_of, texts
from tests.benchmark.tiny_run import edit_json

KEY = b"the key of this site"

NOBODY = lambda cohort, signals=True: None  # noqa: E731


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("georgia", "ptb-xl"):
        cohort = find_cohort(name)
        monkeypatch.setattr(cohort, "card", cohort.card.model_copy(update={"access": "private"}))


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    return write_parcel(prepare_parcel(run, KEY, "noisy"), tmp_path / "to")


def local_words(run: Path, places: Places) -> set[str]:
    """Names of this machine, its account and every folder on the way to the run and the data."""
    assert places.data is not None
    words = {socket.gethostname(), getpass.getuser(), os.uname().nodename}
    for path in (run, places.data, places.cache):
        words |= {part for part in path.resolve().parts[1:] if part not in ("run", "data", "cache", "tmp")}
    return {word for word in words if len(word) > 2 and word not in ("root", "user", "runs", "home")}


def dates(folder: Path) -> set[str]:
    whole = "\n".join(text for _, text in texts(folder))
    return set(re.findall(r"(?:19|20)\d\d-\d\d-\d\d|\d\d:\d\d:\d\d", whole))


def test_no_record_patient_path_name_date_or_score_is_in_it(folder: Path, run: Path, places: Places) -> None:
    tables = [load_predictions(path)[0] for path in run.glob("noisy/*/*.parquet")]
    assert len(tables) == 3
    georgia = load_predictions(run / "noisy/as-is/georgia.parquet")[0]
    ids = set(map(str, georgia["record_id"])) | {f"{i:05d}_hr" for i in range(1, 121)}
    assert len(ids) == 160
    assert found_in(folder, ids) == set()
    assert found_in(folder, local_words(run, places)) == set()
    assert dates(folder) == set()
    scores = np.unique(np.concatenate([scores_of(table) for table in tables]))
    inside = np.array([x for content in json_files(folder).values() for x in numbers(content)])
    assert not np.isin(inside, scores).any()
    assert not np.isin(inside.astype(np.float32), scores.astype(np.float32)).any()
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".md"}


def test_the_search_finds_all_of_that_in_a_submission_with_predictions(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    plain, _ = pack(run, tmp_path / "plain", "noisy")
    table = load_predictions(run / "noisy/as-is/georgia.parquet")[0]
    ids = set(map(str, table["record_id"]))
    assert found_in(plain, ids) == ids
    assert found_in(plain, {f"{table.iloc[3, 1]:.7g}"[:8]})
    assert dates(plain)
    thresholds = json.loads((run / "noisy/as-is/georgia.json").read_text())["provenance"]["thresholds"]
    assert {5, 6} & set(counts(thresholds)) or any(c < 10 for c in counts(thresholds))
    buried = tmp_path / "buried"
    buried.mkdir()
    np.savez_compressed(buried / "a.npz", ids=np.array(["E-secret"]), scores=np.array([0.123456]))
    assert found_in(buried, {"E-secret", "0.123456", "absent"}) == {"E-secret", "0.123456"}


def test_every_count_is_a_multiple_of_the_minimum_or_below_it(run: Path, tmp_path: Path) -> None:
    for minimum in (10, 20, 50):
        folder = write_parcel(prepare_parcel(run, KEY, "noisy", minimum=minimum), tmp_path / str(minimum))
        cells = [content for name, content in json_files(folder).items() if "cells/" in name]
        found = [count for content in cells for count in counts(content)]
        assert len(found) > 20
        for count in found:
            assert count in (f"< {minimum}", "withheld") or (count >= minimum and count % minimum == 0)
    assert "< 50" in found


def test_times_are_fixed_and_the_same_results_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    one, two = (write_parcel(prepare_parcel(run, KEY, "noisy"), tmp_path / to) for to in ("a", "b"))
    assert one.name == two.name
    assert re.fullmatch(r"noisy-aggregate-[0-9a-f]{12}", one.name)
    assert hashes(one) == hashes(two)
    assert {path.stat().st_mtime for path in (one, *one.rglob("*"))} == {315_532_800}
    assert write_parcel(prepare_parcel(run, KEY, "noisy"), tmp_path / "a") == one
    assert [path.name for path in (tmp_path / "a").iterdir()] == [one.name]
    assert write_parcel(prepare_parcel(run, b"another site", "noisy"), tmp_path / "a") != one


def test_the_listing_names_every_file_with_its_size(run: Path, tmp_path: Path) -> None:
    parcel = prepare_parcel(run, KEY, "noisy")
    folder = write_parcel(parcel, tmp_path)
    on_disk = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
    assert {name: size for name, size, _ in parcel.listing()} == on_disk
    assert all(what for _, _, what in parcel.listing())


def test_figures_are_those_of_the_record(folder: Path, run: Path) -> None:
    told = json.loads((folder / "cells/as-is/georgia.json").read_text())
    made = load_record(run / "noisy/as-is/georgia.json")
    assert told["macro"]["concepts"] == list(made.evaluation.macro.concepts) != []
    for name in made.evaluation.macro.concepts:
        exact, given = made.evaluation.concepts[name].auroc, told["concepts"][name]["auroc"]
        assert exact.value is not None
        assert given["value"] == pytest.approx(exact.value, abs=0.00501)
        assert given["low"] <= given["value"] <= given["high"]
    npz = np.load(run / "noisy/as-is/georgia.resamples.npz")
    spread = float(np.std(npz["macro_auroc"], ddof=1))
    assert told["macro"]["auroc"]["standard_error"] == pytest.approx(spread, rel=0.05)
    assert told["records"]["scored"] == 40
    assert told["cohort"]["state"] not in (made.cohort.fingerprint, made.cohort.fingerprint[:16])
    assert told["relation"] == "external"
    assert told["cohort"]["private"] is True


def test_the_fingerprint_of_a_release_stays_and_that_of_a_hospital_does_not(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = json.loads(prepare_parcel(run, KEY, "noisy").files["cells/as-is/georgia.json"])
    monkeypatch.undo()
    shown = json.loads(prepare_parcel(run, KEY, "noisy").files["cells/as-is/georgia.json"])
    made = load_record(run / "noisy/as-is/georgia.json")
    assert shown["cohort"]["state"] == made.cohort.fingerprint
    assert shown["cohort"]["version"] == made.cohort.version
    assert shown["ontology"]["hash"] == made.ontology.hash
    assert hidden["cohort"]["version"] == ""
    whole = json.dumps(hidden)
    assert made.cohort.fingerprint not in whole
    assert made.ontology.hash not in whole


def test_a_submission_with_predictions_of_a_private_cohort_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pack(run, tmp_path / "to", "noisy")
    assert "are private: predictions, record ids and counts stay in the run" in str(caught.value)
    assert "--aggregate" in str(caught.value)
    assert str(caught.value).count(". ") == 0
    assert not (tmp_path / "to").exists()


def test_a_model_that_learnt_from_a_private_cohort_does_not_travel_with_its_counts(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    georgia = find_cohort("georgia")
    monkeypatch.setattr(georgia, "card", georgia.card.model_copy(update={"access": "open"}))
    edit_json(run / "run.json", lambda content: content.update(cells=content["cells"][:1]))
    assert json.loads((run / "run.json").read_text())["cells"][0]["cohort"] == "georgia"
    with pytest.raises(UsageError, match="ptb-xl is private"):
        pack(run, tmp_path / "to", "noisy")


# --- records made by hand: every word of a record that is not meant to be told is a secret


# --- verification


def test_verification_says_that_nothing_can_be_recomputed(folder: Path) -> None:
    found = verify(folder, NOBODY)
    assert found.differences == []
    assert [one.what for one in found.unchecked] == [SELF_REPORTED] * 2
    assert SELF_REPORTED == "self-reported: not recomputable"
    assert found.agreed > 50


def reseal(folder: Path) -> Path:
    """Make the manifest fit what is there, as a forger would, and name the folder by it."""
    manifest = AggregateManifest(model="noisy", files=hashes(folder))
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder.rename(folder.parent / manifest.folder)


def af(content: Any) -> Any:
    return content["concepts"]["AF"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda c: af(c)["auroc"].update(low=0.99, high=0.5), "[0.99, 0.5], whose ends are exchanged"),
        (lambda c: af(c)["auroc"].update(value=1.5), "has a value 1.5 with an interval ["),
        (lambda c: af(c)["auroc"].update(high=1.5), "1.5], which is not within [0, 1]"),
        (lambda c: af(c).update(positives=7), "counts that are no multiples of 10: 7"),
        (lambda c: af(c).update(positives="< 5"), "counts that are no multiples of 10: < 5"),
        (lambda c: af(c).update(n=90), "n and positives of AF that do not go together"),
        (lambda c: af(c).update(n=10, positives=30), "n and positives of AF that do not go together"),
        (lambda c: af(c).update(positives="< 10"), "gives figures of AF, whose counts it does not give"),
        (lambda c: c["macro"]["auroc"].update(value=0.99, high=1.0), "has a macro AUROC of 0.99"),
        (lambda c: c["macro"]["concepts"].append("RBBB"), "has a macro AUROC over what it does not give"),
        (lambda c: c["concepts"].update(Nonsense=af(c)), "metrics of what is no concept: Nonsense"),
        (lambda c: c.update(relation="internal"), "calls georgia internal to the model"),
        (lambda c: c.update(protocol="zero-shot"), "is a cell of zero-shot on georgia"),
        (lambda c: c.update(minimum_count=2), "is not an aggregate of a cell: minimum_count"),
        (lambda c: c.update(record_ids=["E1"]), "is not an aggregate of a cell: record_ids"),
        (lambda c: c["cohort"].update(id="../../x"), "is not an aggregate of a cell: cohort.id"),
        (lambda c: c.update(model="other"), "is of other, not of noisy"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(folder: Path, edit: Any, said: str) -> None:
    edit_json(folder / "cells/as-is/georgia.json", edit)
    forged = reseal(folder)
    found = verify(forged, NOBODY)
    assert said in " | ".join(one.what for one in found.differences)
    assert {one.where for one in found.differences} <= {"cells/as-is/georgia.json", "card.json"}


def test_an_interval_may_lie_beside_its_value(folder: Path) -> None:
    """As that of a concept whose resamples are all above what was measured."""
    edit_json(
        folder / "cells/as-is/georgia.json",
        lambda c: af(c)["auroc"].update(low=af(c)["auroc"]["value"] + 0.001, high=1.0),
    )
    assert not [one for one in verify(reseal(folder), NOBODY).differences if "interval" in one.what]


def test_a_file_that_was_changed_or_added_is_named(folder: Path) -> None:
    (folder / "README.md").write_text("other")
    (folder / "predictions.parquet").write_bytes(b"PAR1")
    said = {(one.where, one.what.split(" (")[0]) for one in verify(folder, NOBODY).differences}
    assert ("README.md", "is not the file of the manifest") in said
    assert ("predictions.parquet", "is not in the manifest") in said
    assert ("predictions.parquet", "is no file of an aggregate submission") in said


def test_a_folder_of_submissions_is_verified_as_a_whole(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    told = write_parcel(prepare_parcel(run, KEY, "noisy"), tmp_path / "to")
    plain, _ = pack(run, tmp_path / "to", "noisy")
    found = verify(tmp_path / "to", NOBODY)
    assert {one.where.split("/")[0] for one in found.unchecked} == {told.name, plain.name}
    (told / "README.md").write_text("other")
    assert [one.where for one in verify(tmp_path / "to", NOBODY).differences] == [f"{told.name}/README.md"]
    with pytest.raises(UsageError):
        verify(tmp_path / "to" / "nothing", NOBODY)


def test_a_cell_without_its_resamples_is_not_packed(run: Path) -> None:
    (run / "noisy/as-is/georgia.resamples.npz").unlink()
    with pytest.raises(LeadboardError, match=r"georgia\.resamples\.npz is missing; run the cell again"):
        prepare_parcel(run, KEY, "noisy")


def test_a_parcel_is_not_written_over_another(run: Path, tmp_path: Path) -> None:
    parcel = prepare_parcel(run, KEY, "noisy")
    folder = write_parcel(parcel, tmp_path)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="it is not overwritten"):
        write_parcel(parcel, tmp_path)
    assert isinstance(parcel, Parcel)
