"""The prompts in the table of concepts say what the concept is, and nothing that another one is."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from cohorts.ontology.ontology import Ontology, load_ontology

# In each row one excludes the other; words that say the same stand together.
OPPOSITES = (
    ("left", "right"),
    ("anterior anteroseptal", "inferior", "lateral", "posterior"),
    ("complete", "incomplete partial"),
    ("first", "second", "third"),
    ("bradycardia slow below", "tachycardia fast above"),
    ("elevation elevated", "depression depressed"),
    ("atrial atria supraventricular", "ventricular ventricle"),
    ("fibrillation", "flutter"),
    ("prolonged long", "shortened short"),
    ("low small reduced", "high tall"),
    ("early", "late"),
    ("hypertrophy enlarged enlargement", "atrophy"),
    ("regular", "irregular irregularly"),
    ("narrow", "wide"),
    ("normal", "abnormal"),
    ("aortic", "mitral", "tricuspid", "pulmonary"),
    ("stenosis", "regurgitation insufficiency"),
    ("systolic", "diastolic"),
    ("acute recent", "old previous healed"),
    ("shortened short", "lengthening long"),
)

ONTOLOGY = load_ontology()
PROMPTS = ONTOLOGY.concepts["prompts"].to_dict()


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


def sides(text: str, row: Iterable[str]) -> set[str]:
    """Which entries of a row of the table a text takes."""
    return {side for side in row if words(side) & words(text)}


def siblings(concept: str, ontology: Ontology) -> list[str]:
    """The other concepts right below a parent of this one."""
    parents = ontology.concepts["parents"]
    return [
        other for other in parents.index if other != concept and set(parents[other]) & set(parents[concept])
    ]


def contradictions(concept: str, prompt: str, ontology: Ontology = ONTOLOGY) -> list[str]:
    """What a prompt says against the name of its concept, or of a sibling where the name is silent."""
    names = ontology.concepts["name"]
    beside = siblings(concept, ontology)
    found = []
    for row in OPPOSITES:
        said, own = sides(prompt, row), sides(names[concept], row)
        of_siblings = {side for other in beside for side in sides(names[other], row)}
        found += [f"'{side}' against '{names[concept]}'" for side in said - own if own]
        found += [f"'{side}' of a sibling" for side in said & of_siblings if not own]
    return found


@pytest.mark.parametrize("concept", PROMPTS)
def test_prompts_do_not_contradict_their_concept(concept: str) -> None:
    assert {prompt: contradictions(concept, prompt) for prompt in PROMPTS[concept]} == {
        prompt: [] for prompt in PROMPTS[concept]
    }


@pytest.mark.parametrize(
    ("concept", "wrong"),
    [
        ("LBBB", "right bundle branch block"),
        ("RBBB", "incomplete right bundle branch block"),
        ("IRBBB", "complete right bundle branch block"),
        ("OldMI", "acute myocardial infarction"),
        ("MobI", "third degree AV block"),
        ("VPACE", "atrial pacing"),
        ("AnIs", "inferior myocardial ischaemia"),
        ("SPR", "long PR interval"),
        ("SB", "sinus tachycardia"),
        ("STach", "slow sinus rhythm"),
        ("Brady", "heart rate above 100 beats per minute"),
        ("IMI", "infarction of the anterior wall"),
        ("LMI", "infarction of the posterior wall"),
        ("LAnFB", "left posterior hemiblock"),
        ("STD", "ST elevation"),
        ("STE", "depressed ST segment"),
        ("IIAVB", "complete heart block"),
        ("IAVB", "third degree AV block"),
        ("PAC", "premature ventricular complex"),
        ("AF", "atrial flutter"),
        ("LAD", "right axis deviation"),
        ("LAE", "left ventricular hypertrophy"),
        ("LQT", "short QT interval"),
        ("LQRSV", "high voltage QRS complexes"),
        ("NORM", "abnormal ECG"),
        ("AS_MOD", "mitral valve stenosis"),
        ("AR_MOD", "aortic valve stenosis"),
    ],
)
def test_a_wrong_prompt_would_be_noticed(concept: str, wrong: str) -> None:
    assert contradictions(concept, wrong)


def test_a_class_of_all_sides_may_name_them() -> None:
    assert contradictions("BBB_ANY", "left or right bundle branch block, complete or incomplete") == []


@pytest.mark.parametrize("concept", PROMPTS)
def test_every_concept_has_two_to_four_prompts(concept: str) -> None:
    assert 2 <= len(PROMPTS[concept]) <= 4
    assert all(prompt == " ".join(prompt.split()) and words(prompt) for prompt in PROMPTS[concept])


def test_no_two_prompts_are_the_same() -> None:
    """However they are written: two concepts with one prompt could not be told apart."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for concept, prompts in PROMPTS.items():
        for prompt in prompts:
            owners.setdefault(tuple(re.findall(r"\w+", prompt.casefold())), []).append(concept)
    assert {prompt: found for prompt, found in owners.items() if len(found) > 1} == {}


# An adult's limit (60 or 100 per minute, 200 ms) is no limit of a child, and ZZU-pECG's labels follow the
# norms of the child's age. Names of leads and what an echocardiogram measures may hold a number.
OF_THE_TRACING = [
    concept
    for concept, category in ONTOLOGY.concepts["category"].items()
    if category not in ("echo", "superclass")
]


@pytest.mark.parametrize("concept", OF_THE_TRACING)
def test_prompts_name_no_limit_that_depends_on_age(concept: str) -> None:
    for prompt in PROMPTS[concept]:
        assert not re.search(r"\d", re.sub(r"\bV[1-6]\b", "", prompt)), prompt


BRITISH_AND_AMERICAN = (
    ("ischaemi", "ischemi"),
    ("polaris", "polariz"),
    ("artefact", "artifact"),
    ("re-entrant", "reentrant"),
)


@pytest.mark.parametrize("concept", PROMPTS)
def test_prompts_are_spelt_both_ways(concept: str) -> None:
    for british, american in BRITISH_AND_AMERICAN:
        twins = {prompt.replace(british, american) for prompt in PROMPTS[concept] if british in prompt}
        assert twins == {prompt for prompt in PROMPTS[concept] if american in prompt}


def test_the_spellings_are_those_that_occur() -> None:
    every = " ".join(prompt for prompts in PROMPTS.values() for prompt in prompts)
    assert all(spelling in every for pair in BRITISH_AND_AMERICAN for spelling in pair)
