"""SNOMED CT codes: their check digits, and the concepts that have none until a second source is found."""

from __future__ import annotations

import pytest

from cohorts.ontology import load_ontology

# Verhoeff's scheme: the multiplication of the dihedral group of order 10, and a permutation of the digits.
PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def multiply(a: int, b: int) -> int:
    """Multiply two elements of the dihedral group of order 10; 5 to 9 are the reflections."""
    turn = (a + b) % 5 if a < 5 else (a - b) % 5
    return turn + 5 * ((a < 5) != (b < 5))


def has_right_check_digit(code: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = PERMUTATION[value]
        total = multiply(total, value)
    return total == 0


CODES = {
    *(code for code in load_ontology().concepts["snomed"] if code),
    *load_ontology().vocabularies["snomed"]["code"],
}


def test_every_code_has_its_check_digit():
    assert len(CODES) > 140
    assert [code for code in sorted(CODES) if not has_right_check_digit(code)] == []


@pytest.mark.parametrize("code", ["164889004", "146889003", "16488900", "54329006"])
def test_a_slip_in_a_code_would_be_noticed(code):
    assert not has_right_check_digit(code)


def test_infarcts_carry_the_code_of_the_finding_on_the_electrocardiogram():
    snomed = load_ontology().concepts["snomed"]
    walls = {"AMI": "429731003", "IMI": "7326005", "LMI": "164871004", "PMI": "73999000"}
    assert snomed[list(walls)].to_dict() == walls
    assert snomed["BBB_ANY"] == "6374002"


@pytest.mark.parametrize(
    "concept", ["LVHV", "LVSTR", "PRWP", "AS_SEV", "PERI", "AMYL", "DEXTRO", "BIFB", "ASMI"]
)
def test_a_concept_without_a_sure_code_has_none(concept):
    """The code at hand is a disorder, something wider or narrower, or from one source alone."""
    assert load_ontology().concepts.loc[concept, "snomed"] == ""


def test_the_challenge_s_codes_keep_their_meaning_where_the_concept_has_another():
    for code, concept in [("55827005", "LVHV"), ("365413008", "PRWP"), ("54329005", "AMI")]:
        labels = load_ontology().labels("ningbo", "snomed", [[code]])
        assert labels.loc[0, concept] == 1
