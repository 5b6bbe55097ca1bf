"""One rule for "far fewer than any hospital has", applied to every release with public counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from cohorts.catalogue import find_cohort
from cohorts.ontology import load_ontology
from cohorts.ontology.coverage_table import minimum_prevalence, positives
from tests.cohorts.ontology.own_tables import FOLDER, unmasked

CHALLENGE = {
    "cpsc-2018": "CPSC",
    "cpsc-2018-extra": "CPSC_Extra",
    "georgia": "Georgia",
    "chapman-shaoxing": "Chapman_Shaoxing",
    "ningbo": "Ningbo",
}
CODE_15 = {"IAVB": 5_716, "RBBB": 9_672, "LBBB": 6_026, "SB": 5_605, "STach": 7_584, "AF": 7_033}
NOT_OF_THE_TRACING = {"superclass", "echo", "rare", "quality"}


def records(cohort: str) -> int:
    return find_cohort(cohort).card.records


def stated(cohort: str, vocabulary: str, counts: pd.Series) -> pd.Series:
    """Sum of the statements that make each concept positive, whatever the coverage."""
    labels = unmasked().labels(cohort, vocabulary, [[str(code)] for code in counts.index])
    return (labels == 1).mul(counts.to_numpy(), axis=0).sum()


@pytest.fixture(scope="module")
def large(shared: Path) -> dict[str, pd.Series]:
    """Positive statements by concept in the large releases."""
    facts = shared / "facts"
    parts = [
        pd.read_csv(facts / f"challenge2021_dx_mapping_{part}.csv", dtype={"SNOMEDCTCode": "str"})
        for part in ("scored", "unscored")
    ]
    codes = pd.concat(parts).set_index("SNOMEDCTCode")
    found = {
        cohort: stated(cohort, "snomed", codes.loc[codes[column] > 0, column])
        for cohort, column in CHALLENGE.items()
    }
    scp = pd.read_csv(facts / "ptbxl_1.0.3_scp_counts.csv", index_col="scp_code")["records"]
    found["ptb-xl"] = stated("ptb-xl", "scp", scp)
    cells = pd.read_csv(shared / "data/sph/metadata.csv", dtype="str")["AHA_Code"]
    sph = cells.str.replace(" ", "").str.split(";").map(set).explode().value_counts()
    found["sph"] = stated("sph", "aha", sph)
    found["code-15"] = pd.Series(CODE_15).reindex(unmasked().concepts.index, fill_value=0)
    return found


def test_the_minimum_is_a_fifth_of_the_lowest_prevalence_in_a_large_release(large):
    wanted = {}
    for concept, category in unmasked().concepts["category"].items():
        if category in NOT_OF_THE_TRACING or unmasked().parts(concept):
            continue
        shares = [count[concept] / records(cohort) for cohort, count in large.items() if count[concept] >= 50]
        if shares:
            wanted[concept] = round(100 * min(shares) / 5, 4)
    assert minimum_prevalence().to_dict() == pytest.approx(wanted, abs=1e-4)


def test_the_source_of_a_minimum_is_the_release_it_comes_from():
    table = pd.read_csv(FOLDER / "minimum_prevalence.csv")
    for row in table.itertuples():
        cohort, count, total = re.search(r"in (\S+), the lowest: ([\d,]+) of ([\d,]+)", row.source).groups()
        count, total = (int(number.replace(",", "")) for number in (count, total))
        assert total == records(cohort)
        assert row.percent == pytest.approx(20 * count / total, abs=6e-5), row.concept


def test_what_is_annotated_is_as_common_as_in_any_hospital():
    minimum = minimum_prevalence()
    few = {
        (cohort, concept): row.positives
        for (cohort, concept), row in positives().iterrows()
        if concept in minimum and 100 * row.positives / records(cohort) < minimum[concept] - 1e-4
    }
    assert few == {}, json.dumps({" ".join(key): int(value) for key, value in few.items()})


def test_only_what_is_rarer_than_the_minimum_is_called_far_fewer_than_any_hospital_has():
    ontology, minimum, found = load_ontology(), minimum_prevalence(), 0
    for cohort in ontology.cohorts:
        for concept in ontology.concepts.index:
            reason = ontology.coverage_reason(cohort, concept)
            if "far fewer than any hospital has" in reason:
                count = int(reason.split(" of ")[0].replace(",", ""))
                assert ontology.coverage(cohort)[concept] == "ambiguous"
                assert 100 * count / records(cohort) < minimum[concept] + 1e-4, (cohort, concept)
                found += 1
    assert found > 25


@pytest.mark.parametrize(
    ("cohort", "concept"),
    [
        ("ningbo", "LAE"),
        ("ningbo", "ILBBB"),
        ("ningbo", "LPFB"),
        ("ningbo", "LPR"),
        ("sph", "RVH"),
        ("sph", "LPFB"),
        ("sph", "LAE"),
        ("chapman-shaoxing", "RVH"),
        ("chapman-shaoxing", "IIIAVB"),
        ("georgia", "WPW"),
        ("georgia", "MI"),
        ("cpsc-2018-extra", "VT"),
        ("cpsc-2018-extra", "PR"),
        ("ptb-xl", "STE"),
    ],
)
def test_the_rule_does_not_look_at_the_release(cohort, concept):
    assert load_ontology().coverage(cohort)[concept] == "ambiguous"
    assert "far fewer than any hospital has" in load_ontology().coverage_reason(cohort, concept)
