"""Cohorts by id: where they lie, what their cards say, and which hold the same recordings."""

from __future__ import annotations

import json
import sys
import types
from importlib.metadata import EntryPoint

import pytest
from pydantic import ValidationError

from cohorts import catalogue
from cohorts.catalogue import (
    all_cohorts,
    broken_cohorts,
    cohort_cards,
    facts_known,
    find_cohort,
    forget,
    open_cohort,
    register,
    share,
    sharing,
)
from cohorts.cohort import Cohort, CohortCard
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.labelled import LabelledIndex
from cohorts.ontology.ontology import load_ontology
from cohorts.preparing import prepare


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


def test_the_coverage_speaks_of_every_cohort_that_comes_with_leadboard():
    published = {cohort_id for cohort_id in all_cohorts() if facts_known(cohort_id)}
    assert set(load_ontology().cohorts) == published, "a cohort without a row annotates nothing, unsaid"


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
        catalogue._published.__wrapped__()


# --- cohorts of strangers -------------------------------------------------------------------------------

STRANGER = """
from cohorts.families.challenge import ChallengeCohort, challenge_card

class Oslo(ChallengeCohort):
    card = challenge_card("oslo", id="oslo", name="Oslo", records=3, country="Norway")
"""


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Install packages that offer cohorts: name of the entry point -> code of its module, with a class."""

    def install(**modules):
        entries = []
        for name, (code, attribute) in modules.items():
            (tmp_path / f"stranger_{name}.py").write_text(code)
            entries.append(EntryPoint(name, f"stranger_{name}:{attribute}", catalogue.GROUP))
            monkeypatch.delitem(sys.modules, f"stranger_{name}", raising=False)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(catalogue, "entry_points", lambda group: entries)
        catalogue._offered.cache_clear()
        all_cohorts.cache_clear()

    yield install
    monkeypatch.undo()
    catalogue._offered.cache_clear()
    all_cohorts.cache_clear()


def test_a_cohort_of_an_installed_package_is_one_like_all_others(offer):
    before = dict(all_cohorts())
    offer(oslo=(STRANGER, "Oslo"))
    assert dict(all_cohorts()) == before | {"oslo": find_cohort("oslo")}
    assert cohort_cards()["oslo"].country == "Norway"
    assert broken_cohorts() == {}
    assert set(load_ontology().coverage("oslo")) == {"not annotated"}
    assert load_ontology().coverage_reason("oslo", "AF") == "Nobody has stated that this cohort annotates it."


@pytest.mark.parametrize(
    ("code", "attribute", "why"),
    [
        ("import nothing_of_that_name", "X", "cannot be imported (ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "X", "cannot be imported (SystemExit: 3)"),
        ("x = 1", "X", "cannot be imported (AttributeError"),
        ("x = 1", "x", "is no class that inherits from cohorts.cohort.Cohort"),
        ("from cohorts.cohort import Cohort\nclass X(Cohort): pass", "X", "has no card"),
        (STRANGER.replace("ChallengeCohort)", "Cohort)"), "Oslo", "NameError"),
        (
            "from cohorts.cohort import Cohort\n" + STRANGER.replace("(ChallengeCohort)", "(Cohort)"),
            "Oslo",
            "has no _read_index",
        ),
        (STRANGER.replace('id="oslo"', 'id="olso"'), "Oslo", "card of 'olso', but its entry point is called"),
        (STRANGER + "    annotates = {'AF': 'yes'}\n", "Oslo", "the reason 'yes', which is no sentence"),
        (
            STRANGER + "    annotates = {'Af': 'Every record was read for it.'}\n",
            "Oslo",
            "coverage of oslo has the concept 'Af', which is not known (did you mean AF?); correct it.",
        ),
        (STRANGER + "    own_codes = [('x', 'x', 'AF', 'equal', '')]\n", "Oslo", "the relation 'equal'"),
        (STRANGER + "    annotates = ['AF']\n", "Oslo", "no mapping of concepts to reasons"),
        (STRANGER + "    annotates = {'AF': 3}\n", "Oslo", "no mapping of concepts to reasons"),
        (STRANGER + "    own_codes = 3\n", "Oslo", "neither rows nor the path of a CSV file"),
        (STRANGER + "    own_codes = 'codes.csv'\n", "Oslo", "neither rows nor the path of a CSV file"),
        (STRANGER + "    own_codes = ['abcde']\n", "Oslo", "a row that is not code, name, concept"),
        (
            STRANGER + "    card = card.model_copy(update={'vocabulary': 'norsk'})\n",
            "Oslo",
            "the vocabulary 'norsk', which the ontology does not have",
        ),
    ],
)
def test_a_broken_one_is_a_sentence_and_stops_nobody(offer, code, attribute, why):
    offer(oslo=(code, attribute), bergen=(STRANGER.replace("oslo", "bergen"), "Oslo"))
    assert "bergen" in all_cohorts()
    assert "oslo" not in all_cohorts()
    assert list(broken_cohorts()) == ["oslo"]
    assert why in broken_cohorts()["oslo"]
    assert broken_cohorts()["oslo"].endswith(".")
    with pytest.raises(UsageError, match="'oslo' cannot be used: ") as caught:
        find_cohort("oslo")
    assert why in str(caught.value)


@pytest.mark.parametrize("name", ["georgia", "ptbxl-super"])
def test_a_name_that_is_taken_is_said(offer, name):
    before = dict(all_cohorts())
    offer(**{name: (STRANGER.replace('id="oslo"', f'id="{name}"'), "Oslo")})
    assert dict(all_cohorts()) == before
    assert f"'{name}'" in broken_cohorts()[name]
    assert "give this cohort another id" in broken_cohorts()[name]


@pytest.fixture
def oslo():
    """A class of a cohort that nobody has registered; it is forgotten again."""
    card = find_cohort("georgia").card.model_copy(update={"id": "oslo", "folder": "oslo"})
    yield type("Oslo", (find_cohort("georgia"),), {"card": card})
    forget("oslo")


def test_a_registered_cohort_is_seen_at_once_where_it_lies(oslo, write_release):
    folder = write_release("georgia") / find_cohort("georgia").card.folder
    assert "oslo" not in all_cohorts()
    register(oslo, folder)
    assert find_cohort("oslo") is oslo
    assert open_cohort("oslo", None).root == folder
    assert sharing("oslo") == {"oslo"}
    register(oslo)
    assert open_cohort("oslo", None) is None, "it is where its card says, from now on"
    forget("oslo")
    with pytest.raises(UnknownNameError):
        find_cohort("oslo")


def test_an_own_place_outweighs_the_one_that_was_registered(oslo, write_release, tmp_path):
    folder = write_release("georgia") / find_cohort("georgia").card.folder
    register(oslo, tmp_path)
    assert open_cohort("oslo", None, {"oslo": folder}).root == folder


def test_nobody_registers_a_name_that_is_taken():
    with pytest.raises(UsageError, match="a cohort 'georgia' already, Georgia 12-lead"):
        register(find_cohort("georgia"))


def test_what_a_cohort_brings_decides_its_own_labels_alone(oslo):
    ontology, cards = load_ontology(), cohort_cards()
    before = {name: ontology.label_hashes(name, card.vocabulary) for name, card in cards.items()}
    af, afl = "164889003", "164890007"
    oslo.own_codes = [("VHF", "Vorhofflimmern", "AF", "same", ""), (af, "here flutter", "AFL", "same", "")]
    oslo.annotates = dict.fromkeys(("AF", "AFL", "RBBB", "LAnFB"), "Every record was read for it.")
    register(oslo)
    labels = ontology.labels("oslo", "snomed", [["VHF"], [af], [afl], [], ["odd"]])
    assert labels[["AF", "AFL", "PVC"]].to_numpy().tolist() == [
        [1, 0, -1],
        [0, 1, -1],
        [0, 1, -1],
        [0, 0, -1],
        [-1, -1, -1],
    ]
    assert ontology.coverage_reason("oslo", "AF") == "Complete without AFRVR: Every record was read for it."
    assert ontology.coverage("oslo")["BIFB"] == "annotated", "both its parts are"
    assert ontology.unknown_codes("snomed", [["VHF", "odd"]], "oslo") == {"odd": 1}
    assert ontology.unknown_codes("snomed", [["VHF"]]) == {"VHF": 1}
    after = {name: ontology.label_hashes(name, card.vocabulary) for name, card in cards.items()}
    assert after == before
    first = ontology.label_hashes("oslo", "snomed")
    oslo.annotates = {"AF": "Every record was read for it."}
    register(oslo)
    second = ontology.label_hashes("oslo", "snomed")
    assert {name for name in first if first[name] != second[name]} == {"AFL", "RBBB", "LAnFB", "BIFB"}


def test_codes_may_stand_in_a_file(oslo, tmp_path):
    oslo.own_codes = tmp_path / "codes.csv"
    oslo.own_codes.write_text("code,name,concept,relation,note\nVHF,Vorhofflimmern,AF,same,\n")
    oslo.annotates = {"AF": "Every record was read for it."}
    register(oslo)
    assert load_ontology().labels("oslo", "snomed", [["VHF"]])["AF"].tolist() == [1]
    oslo.own_codes = tmp_path / "missing.csv"
    with pytest.raises(LeadboardError, match=r"missing\.csv cannot be read"):
        register(oslo)


def test_a_cohort_need_not_be_in_the_catalogue_to_be_prepared(oslo, write_release, tmp_path):
    oslo.annotates = {"AF": "Every record was read for it."}
    folder = write_release("georgia") / find_cohort("georgia").card.folder
    store = prepare(oslo(folder), tmp_path / "cache")
    assert sorted(store.labels["AF"]) == [0, 0, 0, 0, 0, 1]
    assert LabelledIndex(oslo(folder)).labels.equals(store.labels)
    assert "oslo" not in all_cohorts()


def test_only_releases_and_tasks_on_them_are_known_by_their_documents() -> None:
    assert all(map(facts_known, all_cohorts()))
    assert facts_known("ptbxl-super")
    assert not facts_known("my-hospital")
