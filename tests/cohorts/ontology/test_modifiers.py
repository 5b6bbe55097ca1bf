"""Codes with modifiers, and AHA/ACC/HRS statements: every one of them, every modifier."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from cohorts.errors import LeadboardError
from cohorts.ontology import load_ontology
from cohorts.ontology.ontology import Ontology
from cohorts.ontology.tables import read_tables
from tests.cohorts.ontology.own_tables import FOLDER, own_tables, unmasked
from tests.cohorts.ontology.test_tables import folder  # noqa: F401  (a fixture)

UNCERTAIN = {"301": "borderline", "302": "consider", "312": "possible", "315": "probable", "322": "versus"}


def label(concept: str, *codes: str) -> int:
    # SPH states too few elevations to annotate them; what a modifier makes of an ST deviation shows anyway.
    ontology = unmasked() if concept == "STE" else load_ontology()
    return int(ontology.labels("sph", "aha", [codes]).loc[0, concept])


def unknown(*codes: str) -> list[str]:
    return list(load_ontology().unknown_codes("aha", [codes]))


@pytest.fixture(scope="module")
def aha(shared) -> pd.DataFrame:
    """Every statement and modifier of the AHA/ACC/HRS recommendations."""
    return pd.read_csv(shared / "facts/aha_statements.csv", dtype="str")


def test_no_statement_or_modifier_is_forgotten(aha):
    assert aha["kind"].value_counts().to_dict() == {"primary": 117, "modifier": 47}
    primary = aha.loc[aha["kind"] == "primary", "aha_code"]
    modifiers = aha.loc[aha["kind"] == "modifier", "aha_code"]  # 310 twice: "frequent" and "or"
    listed = set(load_ontology().vocabularies["aha"]["code"])
    assert {code for code in listed if "+" not in code} == set(primary)
    assert {code for code in listed if code.startswith("+")} == {f"+{code}" for code in modifiers}
    assert unknown(*(f"{code}+{modifier}" for code in primary for modifier in modifiers)) == []


def test_every_modifier_leaves_a_statement_or_makes_it_ambiguous(aha):
    for modifier in aha.loc[aha["kind"] == "modifier", "aha_code"]:
        expected = -1 if modifier in UNCERTAIN else 1
        for code, concept in [("50", "AF"), ("60", "PVC"), ("106", "RBBB"), ("142", "LVH"), ("161", "IMI")]:
            assert label(concept, f"{code}+{modifier}") == expected, (code, modifier)


# Statements, concept, label.
CASES = [
    (["60+310", "147"], "PVC", 1),
    (["60+310", "147"], "TInv", -1),
    (["50+346"], "AF", 1),
    (["50+312"], "AF", -1),
    (["50+312"], "AF_AFL", -1),
    (["50+312"], "AFL", 0),
    (["50+312", "50"], "AF", 1),
    (["50+346+315"], "AF", -1),
    (["50+315+346"], "AF", -1),
    (["50+346"], "AFRVR", 1),
    (["50+347"], "AFRVR", 0),
    (["50"], "AFRVR", -1),
    (["50+346+312"], "AFRVR", -1),
    (["60+341"], "PVCbig", 1),
    (["60+341"], "PVC", 1),
    (["60+342"], "PVCbig", 0),
    (["60+342"], "PVC", 1),
    (["60+310"], "PVCbig", -1),
    (["161+332"], "OldMI", 1),
    (["161+332"], "AcMI", 0),
    (["161+330"], "AcMI", 1),
    (["161+331"], "AcMI", 1),
    (["161+331"], "OldMI", 0),
    (["161+333"], "OldMI", -1),
    (["161"], "AcMI", -1),
    (["165+332"], "ASMI", 1),
    (["165+332"], "AMI", 1),
    (["160+332"], "ASMI", -1),
    (["83"], "MobI", 1),
    (["84"], "MobI", 0),
    (["85"], "MobI", -1),
    (["37"], "JESC", 1),
    (["153"], "LVSTR", -1),
    (["145"], "STD", -1),
    (["145"], "STE", -1),
    (["145+362"], "STD", 1),
    (["145+362"], "STE", 0),
    (["145+363"], "STD", 0),
    (["145+363"], "STE", 1),
    (["145+305+363"], "STE", 1),
    (["145+363+312"], "STE", -1),
    (["145+363+312"], "STD", 0),
    (["147+367"], "TInv", 1),
    (["147+366"], "TInv", 0),
    (["147+366"], "TAb", 1),
    (["146"], "TAb", 1),
    (["161+332"], "STE", 0),
    (["161+330"], "STE", -1),
    (["161"], "STE", -1),
    (["161+332"], "MI", 1),
    (["166+332"], "AMI", 1),
    (["82"], "LPR", 1),
    (["82"], "IAVB", -1),
    (["82"], "AVB", -1),
    (["86"], "AVB", 1),
    (["86"], "IIAVB", -1),
    (["87"], "IIIAVB", -1),
    (["105"], "RBBB", 0),
    (["105"], "BBB_ANY", 1),
    (["153"], "LVH", -1),
    (["36"], "PAC", -1),
    (["37"], "PAC", 0),
    (["54"], "SVT", -1),
    (["1"], "NORM", 1),
    (["22", "23"], "NORM", -1),
    (["22", "147"], "NORM", 0),
    (["22+305"], "NORM", -1),
    (["20"], "NORM", -1),
    (["22+305", "1"], "NORM", 1),
    (["1"], "NSR", -1),
    (["50+347"], "AF", 1),
    # Not numbers, but tokens: 5 is not 50, 160 not 60, and a modifier is no statement.
    (["5"], "AF", -1),
    (["160"], "PVC", 0),
    (["310"], "PVC", -1),
    (["+310"], "PVC", 0),
    (["60+"], "PVC", -1),
    (["60 +310"], "PVC", -1),
    (["60 +310", "60"], "PVC", 1),
]


@pytest.mark.parametrize(("codes", "concept", "expected"), CASES)
def test_reading(codes, concept, expected):
    assert label(concept, *codes) == expected


def test_what_is_in_no_table_is_told():
    strange = ["60+999", "999", "60+", "+", "", "310", "60+310+1", "60;310", "+308+310", "60++310"]
    assert unknown("60+310", "145+362", "+310", *strange) == sorted(strange)


def test_order_and_company_of_modifiers_do_not_matter():
    for first, second in [("147+367+305", "147+305+367"), ("60+310+341", "60+341"), ("50+312+346", "50+322")]:
        one, other = load_ontology().labels("sph", "aha", [[first], [second]]).to_numpy()
        assert one.tolist() == other.tolist()


def test_a_vocabulary_without_modifiers_has_no_compounds():
    assert load_ontology().unknown_codes("code", [["AF+312", "AF"]]) == {"AF+312": 1}


def test_a_modifier_belongs_to_its_vocabulary_alone():
    tables = own_tables()
    row = {
        "code": "+X",
        "name": "perhaps",
        "concept": "",
        "relation": "uncertain",
        "cohort": "",
        "note": "maybe",
    }
    code = pd.concat([tables.vocabularies["code"], pd.DataFrame([row])])
    changed = Ontology(replace(tables, vocabularies={**tables.vocabularies, "code": code}))
    assert changed.labels("code-15", "code", [["AF+X", "RBBB"]])[
        ["AF", "RBBB", "SB"]
    ].to_numpy().tolist() == [[-1, 1, 0]]
    # Without the row nobody knows what the modifier says: the statement may be about anything.
    assert load_ontology().labels("code-15", "code", [["AF+X", "RBBB"]])[
        ["AF", "RBBB", "SB"]
    ].to_numpy().tolist() == [[-1, 1, -1]]
    hashes = [o.label_hashes("code-15", "code")["AF"] for o in (changed, load_ontology())]
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("+312,Possible,,uncertain,,", "+312,Possible,,perhaps,,", "the relation 'perhaps'"),
        ("+312,Possible,,uncertain,,", "312,Possible,,uncertain,,", "the relation 'uncertain'"),
        ("+312,Possible,,uncertain,,", "+312,Possible,AF,ambiguous,,", "a concept for a modifier"),
        ("+312,Possible,,uncertain,,", "+312,Possible,AF,uncertain,,", "a concept for an unmapped code"),
        ("+312,Possible,,uncertain,,possible only", "+312,Possible,,uncertain,,", "no note"),
        ("145+362,", "145+362 ,", "a cell with blanks at an end"),
    ],
)
def test_a_slip_in_a_modifier_is_named(folder, old, new, message):  # noqa: F811
    path = folder / "vocabularies/aha.csv"
    text = (FOLDER / "vocabularies/aha.csv").read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(LeadboardError, match=message):
        read_tables(folder)
