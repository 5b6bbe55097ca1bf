"""An aggregate submission: useful figures in it, and nothing of a record in any of its bytes."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.config import Places
from benchmark.exchange.aggregate import AggregateManifest
from benchmark.exchange.checking import SELF_REPORTED, verify
from benchmark.exchange.packing import Parcel, prepare_parcel, write_parcel
from benchmark.exchange.summarising import aggregate_of
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.cell.operating_points import Called
from benchmark.metrics.cell.subgroups import Group, GroupConcept, Grouping
from benchmark.models.contract import ModelCard
from benchmark.records.manifest import hashes
from benchmark.records.predictions import load_predictions
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.submission import pack
from cohorts.catalogue import find_cohort
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.exchange.leaks import counts, found_in, json_files, numbers, scores_of, texts
from tests.benchmark.report.report_factory import concept, drawn, estimate, record, statistics
from tests.benchmark.tiny_run import edit_json, make_places, make_run

KEY = b"the key of this site"

NOBODY = lambda cohort, signals=True: None  # noqa: E731


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"), places)


@pytest.fixture
def run(tmp_path: Path, genuine: Path) -> Path:
    return Path(shutil.copytree(genuine, tmp_path / "run"))


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


def sick(**changes: Any) -> tuple[ResultRecord, Resampled]:
    """A record that has something to hide in every field, and its resamples."""
    made = record(
        cohort="georgia",
        aurocs={"AF": concept(0.912345678, positives=13, n=97), "LBBB": concept(0.8123456789, 40, 98)},
        skipped={"patient Jane Roe of 2019-03-04: /mnt/ward/ecg7.dea is empty": "JR-0007"},
        card={"description": f"read from {Path.home()}/secret/weights.pt", "citation": "Doe 2020"},
    )
    provenance = made.provenance.model_copy(
        update={"platform": "Linux of-the-ward", "device": "cuda of-the-ward", "commit": "c0ffee1234"}
    )
    evaluation = made.evaluation.model_copy(
        update={"notes": ("No prediction was submitted for 3 of 100 records (JR-0007); they are left out.",)}
    )
    return drawn(made.model_copy(update={"provenance": provenance, "evaluation": evaluation} | changes))


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from words(one)
    elif isinstance(value, list):
        for one in value:
            yield from words(one)
    elif isinstance(value, str) and value:
        yield value


MEANT = (
    "model",
    "protocol",
    "relation",
    "evaluation.macro.concepts",
    "cohort.id",
    "cohort.name",
    "ontology.version",
)
"""Fields of a record whose words are told."""


def test_no_word_of_a_record_is_told_that_is_not_meant_to_be() -> None:
    made, resampled = sick()
    told = aggregate_of(made, resampled, 10, KEY).model_dump_json()
    content = made.model_dump(mode="json")
    for field in MEANT:
        *above, last = field.split(".")
        part = content
        for name in above:
            part = part[name]
        del part[last]
    for name in ("packages", "python", "leadboard"):
        del content["provenance"][name]
    secrets = {
        word
        for word in words(content)
        if word not in ("all", "records", "patients", "undefined", made.cohort.id)
    }
    assert {"JR-0007", "c0ffee1234", "2025-01-01T00:00:00+00:00", "Linux of-the-ward", "f00d"} <= secrets
    assert {
        secret for secret in secrets if f'"{secret}"' in told or (len(secret) > 4 and secret in told)
    } == set()


def test_the_card_travels_without_paths() -> None:
    made, _ = sick()
    from benchmark.exchange.identity import travelling

    card = travelling(made.model)
    assert str(Path.home()) not in card.description
    assert card.description.startswith("read from ")
    assert card.citation == "Doe 2020"
    assert isinstance(card, ModelCard)


def single(aurocs: Any, **changes: Any) -> ResultRecord:
    """A record of Georgia with one recording a patient."""
    made = record(cohort="georgia", aurocs=aurocs, **changes)
    settings = made.evaluation.bootstrap.model_copy(update={"groups": 100})
    return made.model_copy(update={"evaluation": made.evaluation.model_copy(update={"bootstrap": settings})})


def test_a_concept_with_few_positives_or_negatives_has_no_figures() -> None:
    made, resampled = drawn(
        single({"AF": concept(0.9, 9, 100), "LBBB": concept(0.8, 91, 100), "LVH": concept(0.7, 20, 100)})
    )
    told = aggregate_of(made, resampled, 10, KEY)
    assert (told.concepts["AF"].positives, told.concepts["AF"].auroc) == ("< 10", None)
    assert told.concepts["LBBB"].auroc is None
    assert told.concepts["LBBB"].auprc is None
    assert told.concepts["LVH"].auroc is not None
    assert told.macro.concepts == ("LVH",)


def test_the_macro_average_does_not_tell_what_its_concepts_do_not() -> None:
    aurocs = {"AF": concept(0.95, 15, 100), "LBBB": concept(0.7, 40, 100), "LVH": concept(0.8, 50, 100)}
    made, resampled = drawn(single(aurocs))
    told = aggregate_of(made, resampled, 20, KEY)
    assert told.macro.concepts == ("LBBB", "LVH")
    assert told.macro.minimum == 20
    assert told.macro.auroc is not None
    assert told.macro.auroc.value == pytest.approx(0.75)
    assert told.macro.auprc is not None
    assert told.macro.auprc.value == pytest.approx((0.35 + 0.4) / 2, abs=0.0051)
    spread = float(resampled.auroc[:, 1:].mean(axis=1).std(ddof=1))
    assert told.macro.auroc.standard_error == pytest.approx(spread, rel=0.05)
    nothing = aggregate_of(made, resampled, 50, KEY)
    assert nothing.macro.concepts == ("LVH",)
    few = {"AF": concept(0.95, 15, 100)}
    assert aggregate_of(*drawn(single(few)), 20, KEY).macro.auroc is None


def test_a_mean_has_no_more_decimals_than_the_figures_it_is_of() -> None:
    """Two figures of two decimals and their mean of three would give the third of one of them away."""
    fine, coarse = concept(0.91234, 500, 1_000), concept(0.81234, 12, 60)
    assert aggregate_of(*drawn(single({"AF": fine})), 10, KEY).macro.auroc.value == 0.912
    both = aggregate_of(*drawn(single({"AF": fine, "LBBB": coarse, "LVH": fine})), 10, KEY)
    assert both.macro.auroc.value == round(both.macro.auroc.value, 2)
    assert both.macro.auprc.value == round(both.macro.auprc.value, 2)


def called(tp: int, fp: int, fn: int, tn: int) -> Called:
    rates = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp)}
    rates |= {"ppv": tp / (tp + fp), "npv": tn / (tn + fn), "f1": 2 * tp / (2 * tp + fp + fn)}
    estimates = {name: estimate(value) for name, value in rates.items()}
    return Called(threshold=0.123456789, tp=tp, fp=fp, fn=fn, tn=tn, **estimates)


@pytest.mark.parametrize(
    ("counts_", "given"),
    [
        ((30, 20, 12, 300), {"sensitivity", "specificity", "ppv", "npv"}),
        ((40, 20, 2, 300), {"specificity", "ppv"}),
        ((42, 20, 0, 300), {"specificity", "ppv"}),
        ((30, 9, 12, 311), {"sensitivity", "npv"}),
        ((30, 0, 12, 320), {"sensitivity", "npv"}),
    ],
)
def test_a_rate_is_given_only_where_both_its_counts_could_be(
    counts_: tuple[int, int, int, int], given: set[str]
) -> None:
    at = {"youden": called(*counts_), "sensitivity 90 %": called(*counts_)}
    found = statistics(calls={"AF": at}, why_no_calls=None)
    n = sum(counts_)
    facts = {"AF": concept(0.9, counts_[0] + counts_[2], n)}
    made, resampled = drawn(single(facts, statistics=found))
    call = aggregate_of(made, resampled, 10, KEY).concepts["AF"].call
    assert call is not None
    shown = call.model_dump(exclude_none=True)
    assert set(shown) == given
    for rate in shown.values():
        assert rate["value"] == round(rate["value"], 2)
        assert set(rate) == {"value"}


def test_subgroups_are_given_where_all_of_their_counts_could_be() -> None:
    def group(positives: int, n: int) -> Group:
        one = GroupConcept(auroc=estimate(0.87654), n=n, positives=positives)
        return Group(records=n, macro=estimate(0.87654), concepts={"AF": one})

    groups = {"female": group(30, 60), "male": group(8, 37), "unknown": group(2, 3)}
    sex = Grouping(common=("AF",), groups=groups, gap=None, concept_gaps={})
    strange = Grouping(common=(), groups={"Ward of Dr Roe": group(30, 60)}, gap=None, concept_gaps={})
    found = statistics(subgroups={"sex": sex, "ward": strange})
    made, resampled = drawn(single({"AF": concept(0.9, 40, 100)}, statistics=found))
    told = aggregate_of(made, resampled, 10, KEY)
    assert set(told.subgroups) == {"sex"}
    shown = told.subgroups["sex"].groups
    assert [shown[name].records for name in shown] == [60, 30, "< 10"]
    assert [shown[name].macro is None for name in shown] == [False, True, True]
    assert shown["male"].concepts["AF"].positives == "< 10"
    assert shown["male"].concepts["AF"].auroc is None
    assert "Roe" not in told.model_dump_json()


def test_many_records_of_few_patients_are_withheld() -> None:
    """A hundred records of twenty patients: thirty positive records may be of three."""
    made, resampled = drawn(record(cohort="georgia", aurocs={"AF": concept(0.9, 30, 100)}))
    settings = made.evaluation.bootstrap.model_copy(update={"groups": 20})
    evaluation = made.evaluation.model_copy(update={"bootstrap": settings})
    told = aggregate_of(made.model_copy(update={"evaluation": evaluation}), resampled, 10, KEY)
    assert told.records.patients == 20
    assert told.records.scored == 100
    assert told.concepts["AF"].positives == "withheld"
    assert told.concepts["AF"].auroc is None
    metrics = evaluation.concepts["AF"].model_copy(
        update={"caution": "9 patients with a positive: with fewer than 50 the interval is too narrow."}
    )
    stated = evaluation.model_copy(update={"concepts": {"AF": metrics}})
    told = aggregate_of(made.model_copy(update={"evaluation": stated}), resampled, 10, KEY)
    assert told.concepts["AF"].positives == "withheld"


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
        (lambda c: af(c)["auroc"].update(low=0.99), "outside [0.99"),
        (lambda c: af(c)["auroc"].update(value=1.5, high=1.6), "has a value 1.5 outside"),
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
