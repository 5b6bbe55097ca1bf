"""Whatever is added to a folder, missing from it or edited beside its records is named."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.config import Places
from benchmark.records.submission import pack
from cohorts.errors import LeadboardError, UsageError
from tests.benchmark.records.verifying import GEORGIA, check, said
from tests.benchmark.tiny_run import (
    edit_json,
    reseal,
    score_table,
)


def test_missing_extra_and_linked_files_are_named(submission: Path, places: Places) -> None:
    (submission / "predictions/as-is/georgia.parquet").unlink()
    (submission / "records/as-is/sph.json").write_text("{}")
    (submission / "predictions/as-is/ludb.parquet").write_bytes(b"")
    (submission / "setup.py").write_text("raise SystemExit")
    outside = submission.parent / "elsewhere.md"
    outside.write_text("# elsewhere")
    (submission / "README.md").unlink()
    (submission / "README.md").symlink_to(outside)
    text = said(check(submission, places))
    for words in (
        "predictions/as-is/georgia.parquet: is in the manifest, but is missing",
        f"{GEORGIA}: The predictions {submission / 'predictions/as-is/georgia.parquet'} are not there.",
        "records/as-is/sph.json: is not in the manifest",
        "is not a result record of schema",
        "predictions/as-is/ludb.parquet: is not in the manifest",
        "predictions/as-is/ludb.parquet: has no record beside it",
        "setup.py: is not in the manifest",
        "setup.py: has no record beside it, or is no file of a submission",
        "README.md: is not the file of the manifest",
    ):
        assert words in text, words


def test_links_to_records_and_predictions_are_not_followed(submission: Path, places: Places) -> None:
    outside = submission.parent / "outside"
    shutil.copytree(submission, outside)
    for name in (GEORGIA, "predictions/as-is/ptb-xl.parquet"):
        (submission / name).unlink()
        (submission / name).symlink_to(outside / name)
    text = said(check(submission, places))
    assert f"{GEORGIA}: {GEORGIA} is a link or lies behind one." in text
    assert "predictions/as-is/ptb-xl.parquet is a link or lies behind one." in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "manifest.json: is not as it should be"),
        ("{", "manifest.json is not strict JSON"),
        (
            '{"model": "noisy", "files": {"../../etc/passwd": "00"}}',
            "../../etc/passwd: is in the manifest, but",
        ),
        ('{"model": "noisy", "files": {}, "files": {}}', "an object has a name twice"),
        ('{"model": "noisy", "files": {}, "schema_version": 2}', "manifest.json: is not as it should be"),
        ("[" * 40_000, "manifest.json is not strict JSON"),
        ("[" * 100_000, "has 100,000 lists and objects"),
    ],
)
def test_a_manifest_that_is_none_is_named(submission: Path, content: str, words: str) -> None:
    (submission / "manifest.json").write_text(content)
    assert words in said(check(submission, None))


def test_a_renamed_submission_and_an_edited_card_or_environment_are_named(submission: Path) -> None:
    moved = submission.rename(submission.parent / "better-than-it-is")
    assert "but the folder is better-than-it-is" in said(check(moved, None))
    edit_json(moved / "card.json", lambda cards: cards["as-is"].update(licence="CC0-1.0", trained_on=[]))
    edit_json(moved / "card.json", lambda cards: cards.update(other=cards["as-is"]))
    edit_json(moved / "environment.json", lambda content: content.update(seed=7))
    text = said(check(reseal(moved), None))
    assert "has another card than card.json" in text
    assert "has cards without a record: other" in text
    assert "states seed 0 and 50 resamples, but environment.json has 7 and 50" in text


def test_a_card_edited_everywhere_does_not_fit_the_key_of_submitted_predictions(
    genuine: Path, tmp_path: Path, places: Places
) -> None:
    folder, _ = pack(genuine, tmp_path, "mine")
    place = "predictions/georgia"
    assert not check(folder, places).differences

    def edit(card: Any) -> None:
        card["trained_on"] = []

    edit_json(folder / "card.json", lambda cards: edit(cards["predictions"]))
    edit_json(folder / f"records/{place}.json", lambda record: edit(record["model"]))
    found = check(reseal(folder), places)
    assert said(found) == (
        f"records/{place}.json: has a key that is not of its card, its predictions and its settings: one of "
        "them was edited"
    )


def test_submitted_predictions_may_lack_records_and_must_say_so(run: Path, places: Places) -> None:
    table = pd.read_parquet(run / "noisy/as-is/georgia.parquet").iloc[4:]
    score_table(run, places, table, "partly", allow_missing=True)
    record = run / "partly/predictions/georgia.json"
    assert not check(run, places).differences
    assert "4 of 40 records" in json.loads(record.read_text())["evaluation"]["notes"][0]
    edit_json(record, lambda content: content["evaluation"].update(notes=[]))
    assert "evaluation.notes is stated as 0 entries" in said(check(run, places))


def test_a_known_model_whose_card_is_silent(run: Path, places: Places) -> None:
    table = pd.read_parquet(run / "noisy/as-is/georgia.parquet")
    score_table(run, places, table, "ecg-fm", trained_on="[mimic-iv-ecg]")
    record = run / "ecg-fm/predictions/georgia.json"
    found = check(record, places)
    assert not found.differences, said(found)
    assert found.remarks[0].what.startswith("ecg-fm is known to have been trained on cpsc-2018, ")
    assert json.loads(record.read_text())["relation"] == "internal"
    edit_json(record, lambda content: content.update(relation="external"))
    assert "calls georgia external" in said(check(record, places))


def test_a_reviewer_is_told_of_training_records_among_those_measured(run: Path) -> None:
    record = run / "noisy/as-is/ptb-xl.json"

    def remarks() -> list[str]:
        return [what for _, what in check(record, None).remarks]

    assert not remarks()

    def trained_on_it(content: Any) -> None:
        content["model"]["trained_on"] = ["ptb-xl"]
        content["relation"] = "internal"

    edit_json(record, trained_on_it)
    told = "is measured on all records of ptb-xl, those that it was trained on among them"
    assert remarks() == [told]
    edit_json(record, lambda content: content["records"].update(selection="test"))
    assert not remarks()


def test_an_edited_run_file_is_named_and_unfinished_cells_are_unchecked(run: Path) -> None:
    def edit(content: Any) -> None:
        first, second, *_ = content["cells"]
        first.update(relation="internal")
        second.update(status="failed", reason="out of memory")
        content["seed"] = 5

    edit_json(run / "run.json", edit)
    found = check(run, None)
    text = said(found)
    assert "noisy/as-is/georgia: has another key or relation than in run.json" in text
    assert "mine/predictions/georgia: states seed 0 and 50 resamples, but run.json has 5 and 50" in text
    assert ("noisy/as-is/ptb-xl", "failed: out of memory") in found.unchecked


def test_a_run_file_does_not_lead_out_of_its_folder(run: Path) -> None:
    edit_json(run / "run.json", lambda content: content["cells"][0].update(model="../../run/noisy"))
    text = said(check(run, None))
    assert "The path '../../run/noisy/as-is/georgia.json' does not stay in its folder." in text


def test_what_a_stranger_wrote_is_shown_as_visible_characters_only(submission: Path) -> None:
    (submission / "evil\x1b[2J\u202e.txt").write_text("x")
    edit_json(submission / GEORGIA, lambda r: r["cohort"].update(name="\x1b]0;owned\x07" + "x" * 10_000))
    found = check(submission, None)
    for finding in (*found.differences, *found.unchecked, *found.remarks):
        assert all(text.isprintable() and len(text) <= 500 for text in finding)
    assert "evil .txt: is not in the manifest" in said(found)


FILES = (GEORGIA, "manifest.json", "card.json", "environment.json", "predictions/as-is/georgia.parquet")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), at=st.integers(0), value=st.integers(0, 255), sealed=st.booleans())
def test_a_damaged_byte_anywhere_is_named(
    submission: Path, places: Places, name: str, at: int, value: int, sealed: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(submission, Path(folder) / submission.name))
        data = bytearray((copy / name).read_bytes())
        before = data[at % len(data)]
        data[at % len(data)] = value
        (copy / name).write_bytes(data)
        if name == "manifest.json":
            check(copy, places)  # another blank in it means the same; it never breaks
        elif sealed:
            check(reseal(copy), places)
        else:
            assert bool(check(copy, places).differences) == (before != value)


def test_nothing_to_check_is_a_wrong_call(tmp_path: Path, run: Path) -> None:
    with pytest.raises(UsageError, match="is no submission"):
        check(tmp_path, None)
    edit_json(run / "run.json", lambda content: content.update(cells=[]))
    with pytest.raises(UsageError, match="no finished result"):
        check(run, None)
    (run / "run.json").write_text('{"seed": NaN}')
    with pytest.raises(LeadboardError, match="not strict JSON"):
        check(run, None)
