"""What nobody said is not a negative: counted on real records, release by release."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from tests.cohorts.ontology.test_golden import COHORT_OF, published, records  # noqa: F401  (fixtures)

ONTOLOGY = load_ontology()
RHYTHMS = ONTOLOGY.concepts.index[ONTOLOGY.concepts["category"] == "rhythm"]


def labels_of(cohort: str, statements: pd.Series) -> pd.DataFrame:
    labels = ONTOLOGY.labels(cohort, find_cohort(cohort).card.vocabulary, statements.tolist())
    return labels.set_index(statements.index)


# --- the rhythm ----------------------------------------------------------------------------------------


def test_the_copy_of_ptb_xl_has_690_records_without_a_rhythm(records):  # noqa: F811
    codes = records.loc[records["cohort"] == "PTB-XL", "codes"]
    labels = labels_of("challenge-ptb-xl", codes)
    stated = {"426783006", "426177001", "427084000", "427393009", "164889003", "164890007", "10370003"}
    stated |= {"426761007", "67198005"}
    silent = codes.map(lambda own: stated.isdisjoint(own))
    assert silent.sum() == 690
    assert (labels.loc[silent, [*RHYTHMS, "PVC"]].isin([-1, 1])).all(axis=None)
    assert (labels.loc[silent, RHYTHMS] == -1).all(axis=None)
    assert (labels.loc[~silent, "SB"] != -1).all()
    # Among them 140 with an arrhythmia of unstated kind or origin alone (SVARR, BIGU, TRIGU).
    unstated = codes[silent].map(lambda own: not {"63593006", "11157007", "251180001"}.isdisjoint(own))
    assert unstated.sum() == 140


@pytest.mark.parametrize(
    ("name", "without", "positives"),
    [("Georgia", 4476, 570), ("CPSC-Extra", 2564, 153), ("CPSC", 4738, 1221)],
)
def test_where_only_an_abnormal_rhythm_is_stated_silence_is_a_negative(records, name, without, positives):  # noqa: F811
    codes = records.loc[records["cohort"] == name, "codes"]
    labels = labels_of(COHORT_OF[name], codes)
    table = ONTOLOGY.vocabularies["snomed"]
    stated = set(
        table.loc[table["concept"].isin(RHYTHMS) & table["relation"].isin(["same", "narrower"]), "code"]
    )
    silent = codes.map(stated.isdisjoint)
    assert silent.sum() == without
    counts = labels["AF"].value_counts().to_dict()
    assert counts[1] == positives
    assert counts[0] > 0.95 * (len(codes) - positives)
    assert (labels.loc[silent, "AF"] == 0).all()


@pytest.mark.parametrize("cohort", ["chapman-shaoxing", "ningbo", "ecg-arrhythmia"])
def test_where_every_record_has_a_rhythm_one_without_was_not_read(cohort):
    annotated = [concept for concept in RHYTHMS if ONTOLOGY.coverage(cohort)[concept] == "annotated"]
    silent, sinus = labels_of(cohort, pd.Series([["164873001"], ["164873001", "426783006"]])).to_dict(
        "records"
    )
    assert [silent[concept] for concept in annotated] == [-1] * len(annotated)
    assert sinus["NSR"] == 1
    assert sinus["STach"] == sinus["SVT"] == 0
    assert silent["LVH"] == sinus["LVH"] == 1


def test_a_machine_report_without_a_rhythm_leaves_it_open():
    said = [["inferior infarct", "abnormal ecg"], ["sinus rhythm", "abnormal ecg"], ["sinus rhythm+possible"]]
    labels = labels_of("mimic-iv-ecg", pd.Series(said))
    assert labels["AF"].tolist() == [-1, 0, -1]
    assert labels["PVC"].tolist() == [-1, 0, -1]
    assert labels["LBBB"].tolist() == [0, 0, 0]


def test_a_rhythm_that_is_hedged_or_of_unstated_kind_is_no_answer():
    said = [["SVARR"], ["BIGU", "NORM"], ["AFIB+35", "LVH"], ["SR", "AFIB+35"], ["SVARR", "SR"]]
    labels = labels_of("ptb-xl", pd.Series(said))
    assert labels["SB"].tolist() == [-1, -1, -1, 0, 0]
    assert labels["AF"].tolist() == [-1, -1, -1, -1, -1]
    assert labels["NORM"].tolist() == [-1, 1, 0, -1, -1]


# --- normal or not -------------------------------------------------------------------------------------


def test_a_rate_or_sinus_arrhythmia_alone_leaves_open_whether_the_ecg_is_normal(shared: Path):
    cells = pd.read_csv(shared / "data/sph/metadata.csv", dtype="str")["AHA_Code"]
    statements = cells.map(lambda cell: re.findall(r"[\d+]+", cell))
    labels = labels_of("sph", statements)
    sinus = statements.map(lambda own: {code.partition("+")[0] for code in own} <= {"21", "22", "23"})
    assert sinus.sum() == 2824
    assert (labels.loc[sinus, "NORM"] == -1).all()
    assert (labels["NORM"] == 1).sum() == 13_905
    decided = labels["NORM"].value_counts().to_dict()
    # And 42 with nothing but what leaves its concepts open (36, 152).
    assert decided == {1: 13_905, 0: 8_999, -1: 2_824 + 42}
    others = statements[(labels["NORM"] == -1) & ~sinus].map(set)
    assert all(own & {"36", "152"} and own <= {"36", "152", "21", "22", "23"} for own in others)


@pytest.mark.parametrize(
    ("cohort", "said", "expected"),
    [
        ("ptb-xl", ["SBRAD"], -1),
        ("ptb-xl", ["SR", "axis MID"], -1),
        ("ptb-xl", ["NORM", "SBRAD"], 1),
        ("ptb-xl", ["NORM+50", "SR"], -1),
        ("ptb-xl", ["NORM+15", "SR"], -1),
        ("ptb-xl", ["SBRAD", "LVH"], 0),
        ("ptb-xl", ["SBRAD", "LVH+35"], -1),
        ("ptb-xl", ["AFIB"], 0),
        ("sph", ["23"], -1),
        ("sph", ["1"], 1),
        ("sph", ["60"], 0),
        ("zzu-pecg", ["C23"], -1),
        ("zzu-pecg", ["A1"], 1),
        ("zzu-pecg", ["C23", "I105"], 0),
        ("mimic-iv-ecg", ["sinus bradycardia", "no conclusion"], -1),
        ("mimic-iv-ecg", ["sinus bradycardia", "otherwise normal ecg"], -1),
        ("mimic-iv-ecg", ["sinus bradycardia", "normal ecg"], 1),
        ("mimic-iv-ecg", ["sinus bradycardia", "abnormal ecg"], 0),
        ("cpsc-2018", ["59118001"], 0),
    ],
)
def test_one_rule_for_the_normal_ecg(cohort, said, expected):
    assert labels_of(cohort, pd.Series([said])).loc[0, "NORM"] == expected


# --- slow rhythms --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "opened", "positives"), [("CPSC-Extra", 30, 316), ("Georgia", 10, 1682), ("StPetersburg", 5, 11)]
)
def test_what_is_slow_as_a_rule_is_no_negative_of_bradycardia(records, name, opened, positives):  # noqa: F811
    codes = records.loc[records["cohort"] == name, "codes"]
    labels = labels_of(COHORT_OF[name], codes)
    assert (labels["Brady"] == 1).sum() == positives
    slow = {"27885002", "29320008", "426995002", "75532003", "81898007", "49260003", "5609005", "251187003"}
    slow |= {"65778007", "60423000", "50799005", "164903001"}
    found = codes.map(lambda own: not slow.isdisjoint(own)) & (labels["Brady"] != 1)
    assert found.sum() == opened
    assert (labels.loc[found, "Brady"] == -1).all()


# Statements for what is slow as a rule: complete block, junctional and ventricular escape,
# idioventricular rhythm, arrest.
SLOW = {
    "snomed": ["27885002", "29320008", "426995002", "75532003", "81898007", "49260003", "5609005"],
    "aha": ["88", "38", "37", "62", "63", "26"],
    "zzu": ["H88", "D37", "F62", "C26"],
    "scp": ["3AVB"],
    "ludb": ["Iii degree av-block"],
    "incart": ["ventricular escape beats"],
    "mimic": [
        "complete av block",
        "third degree av block",
        "junctional rhythm",
        "ventricular escape rhythm",
        "idioventricular rhythm",
        "junctional escape complexes",
    ],
}
FAST = {"snomed": ["426664006", "61277005"], "aha": ["39", "64"], "mimic": ["accelerated junctional rhythm"]}


def relation(vocabulary: str, code: str) -> list[str]:
    table = ONTOLOGY.vocabularies[vocabulary]
    return table.loc[(table["code"] == code) & (table["concept"] == "Brady"), "relation"].tolist()


def test_every_vocabulary_leaves_bradycardia_open_where_it_is_implied():
    for vocabulary, codes in SLOW.items():
        assert [relation(vocabulary, code) for code in codes] == [["ambiguous"]] * len(codes), vocabulary
    for vocabulary, codes in FAST.items():
        assert [relation(vocabulary, code) for code in codes] == [[]] * len(codes), vocabulary


# --- nothing that can be read --------------------------------------------------------------------------


def test_georgia_headers_without_a_readable_code_are_no_negatives(shared: Path, tmp_path: Path):
    source = shared / "data/challenge-2021/training/georgia"
    folder = tmp_path / "challenge-2021/training/georgia"
    shutil.copytree(source, folder)
    headers = sorted(folder.rglob("*.hea"))
    assert len(headers) == 47
    before = prepare(open_cohort("georgia", tmp_path), tmp_path / "cache").labels["AF"]
    assert before.value_counts().to_dict() == {0: 44, 1: 3}
    cells = [
        "Unknown",
        '"{}"',
        "{} 426783006",
        "{};426783006",
        "{}.0",
        "999",
        "NaN",
        "AF",
        "",
        "0164889003",
        "-",
    ]
    spoilt = [path for path in headers if "164889003" in path.read_text()]
    spoilt = [*spoilt, *(path for path in headers if path not in spoilt)][: len(cells)]
    for path, cell in zip(spoilt, cells, strict=True):
        path.chmod(0o644)
        text = path.read_text()
        code = re.search(r"Dx: *(\d+)", text)[1]
        path.write_text(re.sub(r"Dx:.*", f"Dx: {cell.format(code)}", text))
    store = prepare(open_cohort("georgia", tmp_path), tmp_path / "cache")
    # Two of the eleven are numbers, which no table knows: they stay, and are annotated for nothing.
    assert len(store.quarantine) == 9
    assert store.quarantine["reason"].str.contains("states no diagnosis").all()
    assert store.labels["AF"].value_counts().to_dict() == {0: 36, -1: 2}
    assert any(text.endswith(": 2; the codes are 0164889003 (1x), 999 (1x).") for text in store.warnings)


@pytest.mark.parametrize("cohort", ONTOLOGY.cohorts)
def test_a_record_of_unknown_statements_is_annotated_for_nothing(cohort):
    labels = labels_of(cohort, pd.Series([["no code of any vocabulary"]]))
    assert (labels == -1).all(axis=None)


def test_a_known_code_decides_what_an_unknown_one_beside_it_leaves_open():
    labels = labels_of("georgia", pd.Series([["164889003", "Unknown"], ["713426002", "Unknown"]]))
    assert labels[["AF", "AF_AFL", "AFL", "LVH"]].to_numpy().tolist() == [[1, 1, -1, -1], [-1, -1, -1, -1]]
    assert labels[["IRBBB", "BBB_ANY", "RBBB"]].to_numpy().tolist() == [[-1, -1, -1], [1, 1, -1]]
