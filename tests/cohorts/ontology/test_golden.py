"""The ontology against the published counts and the real headers, code by code and record by record."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from cohorts.ontology import load_ontology

COLUMNS = {  # of the Challenge's tables of codes
    "cpsc-2018": "CPSC",
    "cpsc-2018-extra": "CPSC_Extra",
    "incart": "StPetersburg",
    "ptb": "PTB",
    "challenge-ptb-xl": "PTB_XL",
    "georgia": "Georgia",
    "chapman-shaoxing": "Chapman_Shaoxing",
    "ningbo": "Ningbo",
}
COHORT_OF = {  # names in the record table; Chapman-Shaoxing and Ningbo came a year later
    "CPSC": "cpsc-2018",
    "CPSC-Extra": "cpsc-2018-extra",
    "StPetersburg": "incart",
    "PTB": "ptb",
    "PTB-XL": "challenge-ptb-xl",
    "Georgia": "georgia",
}

# Cohort and abbreviation: records by an exact parse minus published records. There is none, once a code
# that a header repeats is counted once.
DIFFERENCES: dict[tuple[str, str], int] = {}
# How often a header repeats a code: what counting statements instead of records would add.
REPEATED = {
    ("CPSC-Extra", "NSSTTA"): 3,
    ("Georgia", "LIs"): 2,
    ("Georgia", "LVH"): 1,
    ("Georgia", "PAC"): 597,
    ("Georgia", "VEB"): 1,
    ("Georgia", "VPB"): 30,
}
# Sample headers, from early copies of the release, whose statements are not those of the record table.
OTHER_STATEMENTS = {
    "S0001": ("251146004", "426783006"),  # MI
    "S0002": ("426783006",),  # MI
    "S0005": ("164865005", "427393009"),  # MI
    "HR00003": ("270492004", "426783006"),  # NSR
}


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    """Records by SNOMED CT code and cohort, as the Challenge published them."""
    files = [shared / "facts" / f"challenge2021_dx_mapping_{part}.csv" for part in ("scored", "unscored")]
    table = pd.concat([pd.read_csv(file, dtype={"SNOMEDCTCode": "str"}) for file in files])
    return table.set_index("SNOMEDCTCode")


@pytest.fixture(scope="module")
def records(shared: Path, published: pd.DataFrame) -> pd.DataFrame:
    """All records of the Challenge 2020 with their SNOMED CT codes, repeated ones included."""
    code_of = {abbreviation: code for code, abbreviation in published["Abbreviation"].items()}
    # keep_default_na: "NA" or "null" would be an abbreviation, not a missing cell.
    table = pd.read_csv(shared / "known_answers/challenge2020_record_labels.csv.gz", keep_default_na=False)
    table["codes"] = [[code_of[a] for a in cell.split(";")] for cell in table["dx_abbreviations"]]
    return table


@pytest.fixture(scope="module")
def scp_counts(shared: Path) -> pd.Series:
    return pd.read_csv(shared / "facts/ptbxl_1.0.3_scp_counts.csv", index_col="scp_code")["records"]


@pytest.fixture(scope="module")
def headers(shared: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Folder and codes of every sample header of the Challenge's tree, read without our reader."""
    found = {}
    for path in sorted((shared / "data/challenge-2021/training").rglob("*.hea")):
        cell = re.search(r"^# ?Dx:(.*)$", path.read_text("utf-8"), re.MULTILINE).group(1)
        found[path.stem] = (
            path.relative_to(shared / "data/challenge-2021/training").parts[0],
            tuple(code.strip() for code in cell.split(",")),
        )
    return found


def test_an_exact_parse_gives_the_published_counts(records, published):
    assert len(records) == 43_101
    differences = {}
    for name, group in records.groupby("cohort"):
        found = Counter(code for codes in group["codes"] for code in set(codes))
        for code, row in published.iterrows():
            difference = found[code] - row[COLUMNS[COHORT_OF[name]]]
            if difference:
                differences[name, row["Abbreviation"]] = difference
    assert differences == DIFFERENCES


def test_headers_repeat_codes_which_must_count_once(records, published):
    repeated = Counter(
        (row.cohort, published.loc[code, "Abbreviation"])
        for row in records.itertuples()
        for code, times in Counter(row.codes).items()
        for _ in range(times - 1)
    )
    assert repeated == REPEATED


# Records with any of these codes, by hand: what labels() must find where the cohort annotates the concept.
BY_HAND = {
    "AF": ["164889003", "426749004", "314208002", "233910005"],
    "AFL": ["164890007"],
    "LBBB": ["733534002", "164909002"],
    "RBBB": ["713427006", "59118001"],
    "IRBBB": ["713426002"],
    "BBB_ANY": ["733534002", "164909002", "713427006", "59118001", "713426002", "251120003", "6374002"],
    "PAC": ["284470004", "63593006", "251170000", "251173003", "251168009"],
    "PVC": ["427172004", "17338001", "164884008", "11157007", "251180001", "251182009"],
    "IAVB": ["270492004"],
    "PR": ["10370003", "251268003", "251266004"],
    "Brady": ["426627000", "426177001"],
    "STach": ["427084000"],
    "LVH": ["164873001", "55827005"],
    "LAE": ["67741000119109", "446813000", "253352002"],
    "TAb": ["164934002", "59931005", "251259000"],
    "STD": ["429622005", "704997005"],
    "WPW": ["74390002", "195060002"],
}
# Codes that mean something else in a cohort (rows of their own), and one that means more.
LESS = {"challenge-ptb-xl": {"63593006", "11157007", "251180001"}, "incart": {"427084000"}}
MORE = {("incart", "PAC"): {"426761007"}}


def test_concept_counts_follow_from_the_codes(records):
    ontology = load_ontology()
    compared = 0
    for name, group in records.groupby("cohort"):
        cohort = COHORT_OF[name]
        labels = ontology.labels(cohort, "snomed", group["codes"])
        coverage = ontology.coverage(cohort)
        for concept, codes in BY_HAND.items():
            positive = set(codes) - LESS.get(cohort, set()) | MORE.get((cohort, concept), set())
            wanted = sum(not positive.isdisjoint(own) for own in group["codes"])
            if coverage[concept] == "annotated":
                assert (labels[concept] == 1).sum() == wanted, (cohort, concept)
                compared += 1
            else:
                assert (labels[concept] == -1).all(), (cohort, concept)
    assert compared == 59


@pytest.mark.parametrize(
    ("name", "concept", "positives"),
    [
        ("Georgia", "AF", 570),
        ("Georgia", "AF_AFL", 741),
        ("Georgia", "RBBB", 556),
        ("Georgia", "PVC", 398),
        ("Georgia", "PAC", 640),
        ("CPSC", "RBBB", 1857),
        ("CPSC", "PVC", 700),
        ("CPSC", "NORM", 918),
        ("CPSC-Extra", "AF", 153),  # the one record of chronic fibrillation states fibrillation as well
        ("PTB", "MI", 368),
        ("PTB-XL", "PAC", 398),
        ("StPetersburg", "PVC", 60),
    ],
)
def test_concept_count(records, name, concept, positives):
    codes = records.loc[records["cohort"] == name, "codes"]
    labels = load_ontology().labels(COHORT_OF[name], "snomed", codes)
    assert (labels[concept] == 1).sum() == positives


def test_no_code_is_forgotten(shared, published, headers, scp_counts):
    ontology = load_ontology()
    counts = published[list(COLUMNS.values())]
    assert (counts.sum(axis=1) > 0).all()
    assert len(counts) == 133
    native = pd.read_csv(shared / "facts/challenge2021_native_to_snomed.csv", dtype="str")["snomed_ct"]
    chinese = pd.read_csv(shared / "facts/chapman_ningbo_condition_names.csv", dtype="str")["Snomed_CT"]
    sampled = [code for _, codes in headers.values() for code in codes]
    for codes in (counts.index, native, chinese, sampled):
        assert len(codes) > 50
        assert ontology.unknown_codes("snomed", [list(codes)]) == {}
    assert len(scp_counts) == 71
    listed = set(ontology.vocabularies["scp"]["code"])
    assert listed - {code for code in listed if re.match(r"\+|axis |extra beats", code)} == set(
        scp_counts.index
    )


def test_sample_headers_say_what_the_record_table_says(headers, records):
    known = dict(zip(records["record"], records["codes"], strict=True))
    both = {name: codes for name, (_, codes) in headers.items() if name in known}
    assert len(both) > 100
    other = {
        name: tuple(sorted(codes)) for name, codes in both.items() if sorted(codes) != sorted(known[name])
    }
    assert other == OTHER_STATEMENTS


def test_scp_counts_are_those_of_the_whole_release(scp_counts):
    ontology = load_ontology()
    # A record for every statement: how they fall together is not published, the counts are.
    statements = [[code] for code, count in scp_counts.items() for _ in range(count)]
    positives = (ontology.labels("ptb-xl", "scp", statements) == 1).sum()
    one_code = {"AF": "AFIB", "AFL": "AFLT", "NSR": "SR", "SB": "SBRAD", "STach": "STACH", "SA": "SARRH"}
    one_code |= {"IAVB": "1AVB", "IIAVB": "2AVB", "IIIAVB": "3AVB", "LPR": "LPR", "PAC": "PAC", "PVC": "PVC"}
    one_code |= {"LBBB": "CLBBB", "RBBB": "CRBBB", "ILBBB": "ILBBB", "IRBBB": "IRBBB", "LAnFB": "LAFB"}
    one_code |= {"LPFB": "LPFB", "NSIVCB": "IVCD", "WPW": "WPW", "LVHV": "VCLVH", "RVH": "RVH", "PR": "PACE"}
    one_code |= {"LAE": "LAO/LAE", "RAE": "RAO/RAE", "STD": "STD_", "TInv": "INVT"}
    one_code |= {"LQT": "LNGQT", "LQRSV": "LVOLT", "QAb": "QWAVE", "NORM": "NORM"}
    assert positives[list(one_code)].tolist() == scp_counts[list(one_code.values())].tolist()
    assert positives["LVH"] == 2132 + 875
    assert positives["AVB"] == 793 + 14 + 16


def test_the_published_counts_of_the_superclasses_take_in_every_statement(records):
    # 5,486 MI and 4,907 CD among 21,837 records (Wagner et al. 2020): a threshold of likelihood gives fewer.
    codes = records.loc[records["cohort"] == "PTB-XL", "codes"]
    infarcts = {"164865005", "54329005"}
    conduction = {"270492004", "713426002", "713427006", "164909002", "445118002", "445211001"}
    conduction |= {"698252002", "74390002", "251120003", "27885002", "195042002"}
    assert sum(not infarcts.isdisjoint(own) for own in codes) == 5486
    assert sum(not conduction.isdisjoint(own) for own in codes) == 4907


def test_the_numbers_in_the_reasons_are_the_published_ones(published, scp_counts):
    ontology = load_ontology()
    found = 0
    for cohort in ["ptb-xl", *COLUMNS]:
        counts = scp_counts if cohort == "ptb-xl" else published[COLUMNS[cohort]]
        for concept in ontology.concepts.index:
            stated = re.search(
                r"Stated: (.*?) of [\d,]+ records\.", ontology.coverage_reason(cohort, concept)
            )
            for code, number in re.findall(r"(\S+) in ([\d,]+)", stated.group(1) if stated else ""):
                assert counts[code] == int(number.replace(",", "")), (cohort, concept, code)
                found += 1
    assert found > 400


def test_what_is_annotated_is_stated_somewhere_and_what_is_not_used_is_not(published, scp_counts):
    ontology = load_ontology()
    for cohort in ["ptb-xl", *COLUMNS]:
        vocabulary, counts = "snomed", published[COLUMNS.get(cohort, "Total")]
        if cohort == "ptb-xl":
            vocabulary, counts = "scp", scp_counts
        used = [[code] for code in counts.index[counts > 0]]
        if cohort == "ptb-xl":  # statements that are no SCP codes
            used += [["axis ALAD"], ["axis ARAD"]]
        coverage = ontology.coverage(cohort)
        positives = (ontology.labels(cohort, vocabulary, used) == 1).sum()
        stated = [concept for concept in coverage.index if not ontology.parts(concept)]
        silent = [name for name in stated if coverage[name] == "annotated" and not positives[name]]
        assert silent == [], f"{cohort} annotates them, but states them in no record"
        table = ontology.vocabularies[vocabulary]
        own = set(table.loc[table["cohort"] == cohort, "code"])
        table = table[(table["cohort"] == cohort) | ((table["cohort"] == "") & ~table["code"].isin(own))]
        for concept in coverage.index:
            if re.match(r"No record of|None of", ontology.coverage_reason(cohort, concept)):
                family = {concept, *ontology.descendants(concept)}
                codes = table.loc[
                    table["concept"].isin(family) & table["relation"].isin(["same", "narrower"]), "code"
                ]
                assert counts.reindex(codes).fillna(0).sum() == 0, (cohort, concept)


def test_what_the_reasons_say_of_sinus_rhythm_and_bundle_branch_blocks_is_so(records, published):
    def with_code(name, code):
        codes = records.loc[records["cohort"] == name, "codes"]
        return [set(own) for own in codes if code in own]

    assert all(len(codes) == 1 for name in ("CPSC", "Georgia") for codes in with_code(name, "426783006"))
    assert any(len(codes) > 1 for codes in with_code("PTB-XL", "426783006"))
    named = {"164909002", "733534002", "59118001", "713427006", "713426002", "251120003"}
    unstated = with_code("Georgia", "6374002")
    assert len(unstated) == 116
    assert all(codes & named for codes in unstated)
    rhythms = ["SB", "NSR", "AF", "STach", "AFL", "SVT", "ATach", "AVNRT", "AVRT", "SAAWR"]
    chapman = published.set_index("Abbreviation")["Chapman_Shaoxing"]
    assert chapman[rhythms].sum() == 10_247
