"""Cohorts by id: where they lie, what their cards say, and which hold the same recordings."""

from __future__ import annotations

import json
import types

import pytest
from pydantic import ValidationError

from cohorts import catalogue
from cohorts.catalogue import (
    all_cohorts,
    cohort_cards,
    facts_known,
    find_cohort,
    open_cohort,
    share,
    sharing,
)
from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.ontology.ontology import load_ontology


def test_an_unknown_cohort_is_named_with_its_neighbour():
    with pytest.raises(UnknownNameError, match="Did you mean 'georgia'"):
        find_cohort("gorgia")


def test_a_cohort_that_is_not_there_is_none(tmp_path):
    assert open_cohort("georgia", tmp_path) is None
    (tmp_path / find_cohort("georgia").card.folder / "g1").mkdir(parents=True)
    assert open_cohort("georgia", tmp_path) is None, "an empty folder is not a release"


def test_a_release_elsewhere(write_release, tmp_path):
    folder = write_release("georgia") / find_cohort("georgia").card.folder
    cohort = open_cohort("georgia", tmp_path / "nothing", {"georgia": folder})
    assert len(cohort.index()) == 6
    with pytest.raises(UsageError, match="does not hold"):
        open_cohort("georgia", tmp_path, {"georgia": tmp_path / "nothing"})


def test_cards_are_consistent():
    cards = {cohort_id: cohort.card for cohort_id, cohort in all_cohorts().items()}
    assert cards["challenge-ptb-xl"].copy_of == "ptb-xl"
    for card in cards.values():
        assert card.vocabulary in load_ontology().vocabularies
        assert set(card.overlaps) <= set(cards)
        assert card.url.startswith("https://")
        assert CohortCard.model_validate(json.loads(card.model_dump_json())) == card
    challenge = [card.records for card in cards.values() if card.folder.startswith("challenge-2021")]
    assert sum(challenge) == 88_253, "the Challenge 2021's own total"


@pytest.mark.parametrize(
    "impossible",
    [{"records": 0}, {"id": "Two Words"}, {"id": "a--b"}, {"sampling_rates": ()}, {"access": "secret"}],
)
def test_a_card_of_impossible_facts_is_refused(impossible):
    facts = find_cohort("georgia").card.model_dump()
    assert CohortCard.model_validate(facts | {"records": 1, "id": "a-1"}).records == 1
    with pytest.raises(ValidationError):
        CohortCard.model_validate(facts | impossible)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CohortCard.model_validate(facts | {"another": 1})


# --- the same recordings ------------------------------------------------------------------------------


def test_which_cohorts_hold_the_same_recordings():
    assert sharing("georgia") == {"georgia"}
    assert sharing("ptb") == {"ptb", "ptbdb"}, "stated on the other card"
    assert sharing("ptbdb") == {"ptb", "ptbdb"}, "stated on its own"
    assert sharing("ecg-arrhythmia") == {"ecg-arrhythmia", "chapman-shaoxing", "ningbo"}
    assert sharing("ningbo") == {"ningbo", "ecg-arrhythmia"}, "a third cohort shares with both"
    assert sharing("our-hospital") == {"our-hospital"}, "one that is in no catalogue shares with nobody"


@pytest.mark.parametrize("stated", [{"overlaps": ("b",)}, {"copy_of": "b"}])
def test_it_is_enough_that_one_of_two_cards_says_so(stated):
    facts = find_cohort("georgia").card
    a, b, c = (facts.model_copy(update={"id": name}) for name in "abc")
    a = a.model_copy(update=stated)
    assert share(a, b)
    assert share(b, a)
    assert not share(b, c)
    assert not share(a, c)


# --- the modules of sources -----------------------------------------------------------------------------


def test_every_class_that_a_module_of_sources_defines_is_a_cohort_of_the_catalogue():
    assert list(all_cohorts()) == sorted(all_cohorts())
    for cohort_id, cohort in all_cohorts().items():
        assert cohort_id.replace("-", "_").startswith(cohort.__module__.removeprefix("cohorts.sources."))
        assert cohort_cards()[cohort_id] is cohort.card
    with pytest.raises(TypeError):
        all_cohorts()["mine"] = Cohort


def test_two_cohorts_of_one_name_are_refused(monkeypatch):
    georgia = find_cohort("georgia")
    modules = {}
    for name in ("one", "two"):
        modules[name] = types.ModuleType(name)
        modules[name].Twin = type("Twin", (georgia,), {"__module__": name})
    found = [types.SimpleNamespace(name=name) for name in modules]
    monkeypatch.setattr(catalogue.pkgutil, "iter_modules", lambda *where: found)
    monkeypatch.setattr(catalogue.importlib, "import_module", modules.__getitem__)
    with pytest.raises(LeadboardError, match="Two cohorts are called 'georgia'; rename one in two"):
        all_cohorts.__wrapped__()


def test_only_releases_and_tasks_on_them_are_known_by_their_documents() -> None:
    assert all(map(facts_known, all_cohorts()))
    assert facts_known("ptbxl-super")
    assert not facts_known("my-hospital")
