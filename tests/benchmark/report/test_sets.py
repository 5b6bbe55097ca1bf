"""Sets that a call names, and the ranks within each of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.cli import app
from benchmark.report.board import CONTROLS, EVERYTHING
from benchmark.report.sets import OwnSets, boards_by_set, choose
from cohorts.errors import UnknownNameError, UsageError
from tests.benchmark.report.report_factory import record, run_file, write_run

OWN = OwnSets({"ours": ("AF", "MI")}, {"two": ("georgia", "sph")})
CONTROL = {"control_for": "any"}


def test_what_is_asked_for_is_found() -> None:
    assert choose() == EVERYTHING
    assert choose().key == ""
    rhythm = choose("rhythm", cohorts=["ningbo", "two"], own=OWN)
    assert "AF" in rhythm
    assert "LBBB" not in rhythm
    assert (rhythm.cohort_set, rhythm.cohorts) == ("ningbo, two", ("ningbo", "georgia", "sph"))
    assert rhythm.key != choose("rhythm").key
    assert choose("ours", own=OWN).concepts == {"AF", "MI"}
    one = choose("rhythm", ["AF"])
    assert (one.concept_set, one.concepts, one.cohort_set) == ("AF", {"AF"}, CONTROLS)


def test_a_concept_that_is_named_in_words_is_told_its_id() -> None:
    for concept_set in (None, "rhythm"):
        with pytest.raises(UsageError, match="'Atrial fibrillation': that is what the ontology calls 'AF'"):
            choose(concept_set, ["Atrial fibrillation"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"concept_set": "rythm"}, "Unknown concept set 'rythm'. Did you mean 'rhythm'"),
        ({"concepts": ["AFF"]}, "Unknown concept 'AFF'"),
        ({"concept_set": "conduction", "concepts": ["AF"]}, "Unknown concept of 'conduction' 'AF'"),
        ({"cohorts": ["georgie"]}, "Did you mean 'georgia'"),
    ],
)
def test_unknown_names_are_told(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        choose(**asked)  # type: ignore[arg-type]


def test_everybody_is_ranked_within_every_set_that_somebody_is_ranked_in() -> None:
    records = [
        record("wide", "georgia", {"AF": 0.9, "LBBB": 0.7}),
        record("narrow", "georgia", {"LBBB": 0.8}, protocol="linear-probe"),
        record("chance", "georgia", {"AF": 0.5, "LBBB": 0.5}, card=CONTROL),
    ]
    found = boards_by_set(run_file(records), records, own=OWN)
    of = {(one.board.within.concept_set, one.board.within.cohort_set): one for one in found}
    assert list(dict.fromkeys(name for name, _ in of)) == ["all shared", "rhythm", "conduction", "ours"]
    assert {name for _, name in of} == {CONTROLS, "two"}

    def ranks(concept_set: str, cohort_set: str = CONTROLS) -> dict[str, int | None]:
        return {one.entry.model: one.rank for one in of[concept_set, cohort_set].board.standings}

    assert ranks("all shared") == {"wide": 1, "chance": 2, "narrow": None}
    assert ranks("conduction") == ranks("conduction", "two") == {"narrow": 1, "wide": 2, "chance": 3}
    assert ranks("ours")["narrow"] is None
    macros = of["conduction", CONTROLS].macros
    assert {model: macros[model, protocol, cohort].value for model, protocol, cohort in macros} == {
        "wide": 0.7,
        "narrow": 0.8,
        "chance": 0.5,
    }
    asked = boards_by_set(run_file(records), records, within=choose("echo"))[0]
    assert asked.board.within.concept_set == "echo"
    assert not asked.board.cohorts


def call(*given: str) -> None:
    code = app(["report", *given], exit_on_error=False, print_error=False, result_action="return_value")
    assert code == 0


def test_the_command_ranks_within_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    records = [
        record(name, cohort, dict.fromkeys(concepts, value), card=card)
        for cohort in ("georgia", "ningbo")
        for name, concepts, value, card in (
            ("wide", ("AF", "LBBB"), 0.8, {}),
            ("narrow", ("LBBB",), 0.9, {}),
            ("chance", ("AF", "LBBB"), 0.5, CONTROL),
        )
    ]
    run = write_run(tmp_path / "run", records)
    Path("leadboard.toml").write_text('concept_sets.block = ["LBBB"]\ncohort_sets.near = ["georgia"]\n')
    call(str(run), "--concept-set", "block", "--cohort", "near")
    [ranking] = json.loads((run / "leaderboard.json").read_text())["rankings"]
    assert (ranking["concept_set"], ranking["cohort_set"]) == ("block", "near")
    assert ranking["cohorts"] == {"georgia": ["LBBB"]}
    assert [(row["model"], row["rank"]) for row in ranking["rows"]] == [
        ("narrow", 1),
        ("wide", 2),
        ("chance", 3),
    ]
    text = (run / "leaderboard.md").read_text()
    assert "within block" in text
    assert "ningbo (not in the cohort set 'near')" in text
    call(str(run), "--concept", "AF")
    [ranking] = json.loads((run / "leaderboard.json").read_text())["rankings"]
    assert {row["model"]: row["rank"] for row in ranking["rows"]} == {"wide": 1, "chance": 2, "narrow": None}
    Path("leadboard.toml").write_text("concept_sets.block = []\n")
    with pytest.raises(UsageError, match="without members"):
        call(str(run), "--concept-set", "block")
