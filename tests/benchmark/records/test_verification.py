"""Whatever is tampered with is named; what cannot be checked here is said to be so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from benchmark.config import Places
from benchmark.models.model_files import Origin
from benchmark.records.checks import check_same_model
from benchmark.records.findings import Verification
from benchmark.records.recomputation import compared
from tests.benchmark.records.verifying import GEORGIA, check, said
from tests.benchmark.report.report_factory import record
from tests.benchmark.tiny_run import (
    edit_json,
    replace_predictions,
    reseal,
)

Edit = Callable[[Any], Any]


def test_genuine_results_agree_and_a_missing_cohort_is_said_to_be_unchecked(
    genuine: Path, submission: Path, places: Places
) -> None:
    for path in (genuine, submission, submission / GEORGIA, genuine / "noisy/as-is/ptb-xl.json"):
        here, elsewhere = check(path, places), check(path, None)
        assert not here.differences, said(here)
        assert not here.unchecked
        assert not elsewhere.differences, said(elsewhere)
        assert 0 < elsewhere.agreed < here.agreed
        assert {what for _, what in elsewhere.unchecked} <= {
            "numbers: cohort georgia is not on this machine",
            "numbers: cohort ptb-xl is not on this machine",
            "thresholds: cohort ptb-xl is not on this machine",
        }
    assert len(check(genuine, None).unchecked) == 4


def edit_metric(record: Any) -> None:
    record["evaluation"]["concepts"]["AF"]["auroc"]["value"] += 1e-6


def edit_metric_and_macro(record: Any) -> None:
    record["evaluation"]["concepts"]["AF"]["auroc"]["value"] += 1e-6
    record["evaluation"]["macro"]["auroc"]["value"] += 0.5e-6


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (edit_metric, "georgia.json: evaluation.concepts.AF.auroc.value is stated as 0."),
        (edit_metric, "has a macro AUROC of 0."),
        (edit_metric_and_macro, "evaluation.macro.auroc.value is stated as 0."),
        (
            lambda r: r["evaluation"]["concepts"]["LVH"]["auprc"].update(low=0.1),
            "LVH.auprc.low is stated as 0.1",
        ),
        (lambda r: r["evaluation"]["concepts"]["LVH"]["auprc"].update(value=None), "stated as undefined"),
        (
            lambda r: r["evaluation"]["concepts"]["AF"].update(positives=21),
            "prevalence and eligibility of AF",
        ),
        (
            lambda r: r["evaluation"]["concepts"]["AF"].update(n=39, prevalence=20 / 39),
            "AF.n is stated as 39",
        ),
        (lambda r: r["evaluation"]["macro"].update(concepts=["AF"]), "over other concepts than the eligible"),
        (lambda r: r["evaluation"]["concepts"].pop("LVH"), "evaluation.concepts.LVH is stated as absent"),
        (lambda r: r["evaluation"]["bootstrap"].update(seed=1), "states seed 1 and 50 resamples, but env"),
        (lambda r: r["evaluation"]["bootstrap"].update(seed=1), ".low is stated as"),
        (lambda r: r["evaluation"]["bootstrap"].update(seed=1), "states another seed, number of resamples"),
        (
            lambda r: r["evaluation"]["bootstrap"].update(resamples=49),
            "states seed 0 and 49 resamples, but env",
        ),
        (
            lambda r: r["evaluation"]["bootstrap"].update(resamples=10**9),
            "not more than 20,000 are recomputed",
        ),
        (lambda r: r["evaluation"]["bootstrap"].update(level=0.5), "bootstrap.level is stated as 0.5"),
        (lambda r: r["evaluation"].update(notes=["best of all"]), "evaluation.notes is stated as 1 entry"),
        (
            lambda r: r.update(relation="internal"),
            "calls georgia internal to a model trained on none of them",
        ),
        (lambda r: r["model"].update(trained_on=["georgia"]), "trained on georgia; it is internal"),
        (lambda r: r["model"].update(trained_on=["gerogia"]), "cohorts that do not exist: gerogia"),
        (lambda r: r["model"].update(description="better"), "has another card than card.json"),
        (lambda r: r["model"].update(description="better"), "has another card than the record of"),
        (lambda r: r["model"].update(name="other"), "is of other, but the submission is of noisy"),
        (lambda r: r["model"].update(outputs=["AF", "GOUT"]), "outputs that are no concepts: GOUT"),
        (lambda r: r["model"].update(outputs="any"), "names no outputs"),
        (lambda r: r["model"].update(outputs=["LVH", "AF"]), "card and training ask for LVH, AF"),
        (lambda r: r.update(weights_sha256=["ab"]), "is of other weights or other code than the record of"),
        (lambda r: r["ontology"].update(hash="0" * 64), "is labelled by ontology"),
        (lambda r: r["ontology"]["concepts"].update(AF="0" * 64), "is labelled by ontology"),
        (lambda r: r["cohort"].update(fingerprint="0" * 64), "was measured on another state of georgia"),
        (lambda r: r["cohort"].update(id="nowhere"), "is of a cohort that does not exist: nowhere"),
        (lambda r: r["cohort"].update(id="ptb-xl"), "is a record of as-is on ptb-xl"),
        (lambda r: r["cohort"].update(name="Elsewhere"), "names its cohort 'Elsewhere'"),
        (lambda r: r["cohort"].update(simulated=True), "cohort.simulated is stated as True, but it is False"),
        (lambda r: r["cohort"].update(release_records=40), "cohort.release_records is stated as 40"),
        (lambda r: r["records"].update(selection="test"), "records outside the test fold"),
        (lambda r: r["records"].update(found=41), "says that 41 records were found"),
        (
            lambda r: r["records"].update(found=41, quarantined=[{"reason": "bad", "record_ids": ["E9"]}]),
            "records.quarantined is stated as 1 entry",
        ),
        (lambda r: r["predictions"].update(sha256="0" * 64), "has other predictions than it was made from"),
        (lambda r: r["predictions"].update(rows=39), "has 40 predictions, but states 39 and 40 scored"),
        (
            lambda r: r["predictions"].update(file="../../x.parquet"),
            "names its predictions '../../x.parquet'",
        ),
        (lambda r: r.update(comment="hello"), "is not a result record of schema"),
        (lambda r: r.pop("provenance"), "provenance: Field required"),
        (lambda r: r["provenance"].update(seconds=float("nan")), "is not strict JSON (NaN is no number"),
        (lambda r: r["evaluation"]["bootstrap"].update(seed=-1), "from seed -1"),
    ],
)
def test_an_edited_record_is_named_though_the_manifest_was_made_to_fit(
    submission: Path, places: Places, edit: Edit, words: str
) -> None:
    edit_json(submission / GEORGIA, edit)
    found = check(reseal(submission), places)
    assert words in said(found)
    assert all(where.endswith("georgia.json") or "manifest" not in where for where, _ in found.differences)


def test_an_edited_record_does_not_fit_the_manifest(submission: Path) -> None:
    edit_json(submission / GEORGIA, edit_metric_and_macro)
    found = check(submission, None)
    assert said(found) == f"{GEORGIA}: is not the file of the manifest (its SHA-256 differs)"
    found = check(reseal(submission), None)
    assert not found.differences
    assert len(found.unchecked) == 3


def test_only_intervals_differ_where_the_seed_is_not_the_stated_one(run: Path, places: Places) -> None:
    edit_json(run / "noisy/as-is/georgia.json", lambda r: r["evaluation"]["bootstrap"].update(seed=3))
    found = check(run / "noisy/as-is/georgia.json", places)
    assert found.differences
    named = [what for _, what in found.differences if "more fields differ" not in what]
    assert all(".low is" in what or ".high is" in what for what in named)
    assert "another seed or number of resamples than the stated 3 and 50" in found.remarks[0].what


def drop_the_hard_ones(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[3:].reset_index(drop=True)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (drop_the_hard_ones, "is not complete: 3 of 40 records lack a prediction (E00001, E00002, E00003)"),
        (lambda t: t.assign(AF=1 - t["AF"]), "evaluation.concepts.AF.auroc.value is stated as"),
        (lambda t: t.iloc[::-1].reset_index(drop=True), "predictions in another order than its cohort"),
        (lambda t: t.assign(record_id=["X", *t["record_id"][1:]]), "1 record that is not of its cohort"),
        (lambda t: t.assign(record_id=[t["record_id"][1], *t["record_id"][1:]]), "one record more than once"),
        (lambda t: t.assign(AF=[np.inf, *t["AF"][1:]]), "has predictions that are not finite"),
        (lambda t: t.assign(AF=[np.nan, *t["AF"][1:]]), "georgia.parquet have missing values"),
        (lambda t: t.assign(HYP=t["AF"]), "has predictions of AF, LVH, HYP; its card"),
        (lambda t: t[["record_id", "LVH", "AF"]], "has predictions of LVH, AF; its card"),
        (lambda t: t.iloc[:0], "georgia.parquet are no table of record_id and float32 scores"),
    ],
)
def test_other_predictions_are_named_though_the_record_was_made_to_fit(
    submission: Path, places: Places, edit: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    replace_predictions(submission, "as-is/georgia", edit)
    assert words in said(check(reseal(submission), places))


def test_no_predictions_at_all_are_named(submission: Path, places: Places) -> None:
    path = submission / "predictions/as-is/georgia.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 0), path)
    assert "is not complete: 40 of 40 records lack a prediction" in said(check(reseal(submission), places))


def test_swapped_predictions_are_named(submission: Path) -> None:
    predictions = submission / "predictions/as-is"
    shutil.copyfile(predictions / "ptb-xl.parquet", predictions / "georgia.parquet")
    text = said(check(reseal(submission), None))
    assert "has other predictions than it was made from" in text
    assert "has 120 predictions, but states 40" in text


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 nothing PAR1", None])
def test_unreadable_predictions_are_named(submission: Path, content: bytes | None) -> None:
    path = submission / "predictions/as-is/georgia.parquet"
    if content is None:
        pd.DataFrame({"record_id": [1.5], "AF": ["high"]}).to_parquet(path)
    else:
        path.write_bytes(content)
    folder = reseal(submission)
    said_of = f"{GEORGIA}: The predictions {folder / 'predictions/as-is/georgia.parquet'} "
    assert said_of in said(check(folder, None))


def test_any_new_field_is_compared() -> None:
    class Inner(BaseModel):
        value: float | None
        names: tuple[str, ...] = ()

    class Outer(BaseModel):
        inner: dict[str, Inner]
        flag: bool = True
        count: int = 1

    one = Outer(inner={"a": Inner(value=0.5, names=("x",)), "b": Inner(value=None)})
    assert all(leaf.agrees for leaf in compared(one, one))
    near = Outer(inner={"a": Inner(value=0.5 + 5e-10, names=("x",)), "b": Inner(value=None)})
    assert all(leaf.agrees for leaf in compared(one, near))
    other = Outer(
        inner={"a": Inner(value=0.5 + 2e-9, names=("y",)), "c": Inner(value=0.0)}, flag=False, count=2
    )
    differing = {leaf.field for leaf in compared(one, other) if not leaf.agrees}
    assert differing == {"inner.a.value", "inner.a.names[0]", "inner.b", "inner.c", "flag", "count"}
    zero = Outer(inner={"b": Inner(value=0.0)})
    undefined = Outer(inner={"b": Inner(value=None)})
    assert [leaf.sentence for leaf in compared(zero, undefined) if not leaf.agrees] == [
        "inner.b.value is stated as 0.0, but it is undefined"
    ]


def test_subgroups_that_were_not_measured_are_a_remark(submission: Path, places: Places) -> None:
    edit_json(submission / GEORGIA, lambda record: record["statistics"]["subgroups"].pop("sex"))
    found = check(reseal(submission), places)
    assert not found.differences
    assert [what for _, what in found.remarks if "subgroups" in what] == [
        "measures no subgroups by sex, which georgia states"
    ]


def test_a_record_that_does_not_state_its_code_is_of_no_other() -> None:
    def found(one: Origin | None, other: Origin | None) -> list[str]:
        verification = Verification()
        first = record("net", "georgia").model_copy(update={"origin": one})
        second = record("net", "sph").model_copy(update={"origin": other})
        check_same_model(verification.at("sph"), first, second)
        return [difference.what for difference in verification.differences]

    here, there = Origin(code="a" * 64, weights=None), Origin(code="b" * 64, weights=None)
    assert not found(here, here)
    assert not found(None, here)
    assert not found(here, None)
    assert found(here, there) == ["is of other weights or other code than the record of georgia"]
