"""Published tasks: classes and counts as their authors give them, on the facts and real records at hand."""

from __future__ import annotations

import ast
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import measured_cards, open_cohort, sharing
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.store import Store, rows_of
from cohorts.task_store import open_task
from cohorts.tasks import all_tasks, cohort_of, find_task
from cohorts.tasks.ptb_xl import class_name
from tests.releases import write_challenge, write_ptb_xl

STATEMENTS = {
    "ptbxl-all": "",
    "ptbxl-diagnostic": "diagnostic",
    "ptbxl-form": "form",
    "ptbxl-rhythm": "rhythm",
}
"""PTB-XL's tasks whose classes are statements -> the flag in the release's table."""
SIZES = {
    "ptbxl-all": 71,
    "ptbxl-diagnostic": 44,
    "ptbxl-sub": 23,
    "ptbxl-super": 5,
    "ptbxl-form": 19,
    "ptbxl-rhythm": 12,
    "cpsc-nine": 9,
    "code-six": 6,
    "merl-csn": 38,
    "merl-cpsc": 9,
}


def test_the_tasks_have_as_many_classes_as_published() -> None:
    assert {name: len(task.classes) for name, task in all_tasks().items()} == SIZES
    for task in all_tasks().values():
        assert {name for names in task.means.values() for name in names} == set(task.classes)


@pytest.fixture(scope="module")
def scp(shared: Path) -> pd.DataFrame:
    """The release's own table of statements."""
    return pd.read_csv(shared / "data/ptb-xl/scp_statements.csv", index_col=0)


@pytest.mark.parametrize("column", ["records", "records_fold_10"])
@pytest.mark.parametrize(("name", "flag"), STATEMENTS.items())
def test_ptb_xl_statements_are_counted_as_published(
    shared: Path, scp: pd.DataFrame, name: str, flag: str, column: str
) -> None:
    counts = pd.read_csv(shared / "facts/ptbxl_1.0.3_scp_counts.csv", index_col="scp_code")[column]
    # One record a statement: what the task makes of each, with and without a likelihood, adds up.
    stated = [code for code, count in counts.items() for _ in range(count)]
    labels = find_task(name).labels([[code if at % 2 else f"{code}+15"] for at, code in enumerate(stated)])
    expected = counts if not flag else counts[scp.loc[counts.index, flag] == 1]
    assert (labels == 1).sum().to_dict() == {class_name("all", code): n for code, n in expected.items()}
    assert (labels == -1).all(axis=1).sum() == counts.sum() - expected.sum()


@pytest.mark.parametrize("name", [name for name in SIZES if name.startswith("ptbxl")])
def test_real_records_have_the_classes_of_the_authors_code(
    shared: Path, scp: pd.DataFrame, name: str
) -> None:
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    kind = name.removeprefix("ptbxl-")
    flag = STATEMENTS.get(name, "diagnostic")
    column = {"sub": "diagnostic_subclass", "super": "diagnostic_class"}.get(kind)
    used = scp if not flag else scp[scp[flag] == 1]
    cells = pd.read_csv(cohort.root / "ptbxl_database.csv", index_col="ecg_id")["scp_codes"].map(
        ast.literal_eval
    )
    index = cohort.index()
    labels = find_task(name).labels(index["statements"].tolist())
    left_out = 0
    for row, record in enumerate(index["record_id"]):
        stated = [code for code in cells[int(record)] if code in used.index]
        classes = {class_name(kind, str(used.loc[code, column]) if column else code) for code in stated}
        left_out += not classes
        assert labels.columns[labels.iloc[row] == 1].tolist() == sorted(classes)
        assert set(labels.iloc[row]) == ({0, 1} if classes else {-1})
    assert (labels == -1).all(axis=1).sum() == left_out
    assert (left_out > 0) == (kind != "all")


def test_half_of_the_infarcts_of_the_published_task_are_hedges_or_injuries(shared: Path) -> None:
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    statements = cohort.index()["statements"].tolist()
    task = find_task("ptbxl-super").labels(statements)["PTBXL_MI"]
    concept = load_ontology().labels("ptb-xl", "scp", statements)["MI"]
    assert (task == 1).sum() == 53
    assert concept[task == 1].value_counts().to_dict() == {-1: 35, 1: 18}


def test_cpsc_2018_is_counted_as_published(shared: Path) -> None:
    facts = shared / "facts"
    tables = [
        pd.read_csv(facts / f"challenge2021_dx_mapping_{kind}.csv", dtype={"SNOMEDCTCode": str})
        for kind in ("scored", "unscored")
    ]
    published = pd.concat(tables).set_index("SNOMEDCTCode")
    records = pd.read_csv(
        shared / "known_answers/challenge2020_record_labels.csv.gz", keep_default_na=False
    ).query("cohort == 'CPSC'")
    code_of = {row["Abbreviation"]: code for code, row in published.iterrows()}
    statements = [[code_of[word] for word in cell.split(";")] for cell in records["dx_abbreviations"]]
    task = find_task("cpsc-nine")
    labels = task.labels(statements)
    assert len(labels) == 6877
    assert (labels != -1).all(axis=None)
    expected = {name: int(published.loc[code, "CPSC"]) for code, (name,) in task.means.items()}
    assert (labels == 1).sum().to_dict() == expected
    assert sum(expected.values()) == published["CPSC"].sum(), "nine classes and nothing else"


def test_code_is_counted_as_published(shared: Path) -> None:
    cohort = open_cohort("code-test", shared / "data")
    assert cohort is not None
    labels = find_task("code-six").labels(cohort.index()["statements"].tolist())
    # Table 1 of Ribeiro et al. 2020; records without an abnormality stay in.
    expected = {"IAVB": 28, "RBBB": 34, "LBBB": 30, "SB": 16, "AF": 13, "STach": 37}
    assert (labels == 1).sum().to_dict() == expected
    assert (labels >= 0).all(axis=None)


def test_code_and_cpsc_are_what_the_ontology_says_of_the_same_statements(shared: Path) -> None:
    for name in ("code-six", "cpsc-nine"):
        task = find_task(name)
        cohort = open_cohort(task.cohort.id, shared / "data")
        assert cohort is not None
        statements = cohort.index()["statements"].tolist()
        ours = load_ontology().labels(task.cohort.id, task.cohort.vocabulary, statements)
        pd.testing.assert_frame_equal(task.labels(statements), ours[list(task.classes)], check_names=False)


# Rows of MERL's published chapman_test.csv: acronyms, and the classes that have a 1.
@pytest.mark.parametrize(
    ("acronyms", "classes"),
    [
        ("SB,1AVB,STTC", "VB STTC AVB 1AVB ST"),
        ("SB,APB,LVQRSAL", "SA APB"),
        ("AF,AVB", "VB AF AVB"),
        ("AFIB,IDC", "AF AFIB"),
        ("SB,STE,ERV", "STE ERV ST"),
        ("STE,ST,STDD", "STE STDD ST"),
        ("AT,1AVB,SR,APB", "SR AT VB APB AVB 1AVB"),
        ("SVT,LBBB", "SVT LBBB"),
    ],
)
def test_merl_finds_parts_of_acronyms(shared: Path, acronyms: str, classes: str) -> None:
    names = pd.read_csv(
        shared / "facts/chapman_ningbo_condition_names.csv", encoding="utf-8-sig", dtype=str
    ).set_index("AcronymName")["Snomed_CT"]
    labels = find_task("merl-csn").labels([[names[word] for word in acronyms.split(",")]])
    assert {name for name in labels if labels.loc[0, name] == 1} == {
        f"CSN_{name}" for name in classes.split()
    }


def test_names_folds_and_relations() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ptbxl-super'"):
        find_task("ptb-xl-super")
    assert (cohort_of("ptbxl-sub"), cohort_of("georgia")) == ("ptb-xl", "georgia")
    assert sharing("ptbxl-sub") == {"ptbxl-sub"} | sharing("ptb-xl")
    card = measured_cards()["ptbxl-super"]
    assert (card.copy_of, card.name) == ("ptb-xl", "published task: PTB-XL, 5 diagnostic superclasses")
    assert card.folds == measured_cards()["ptb-xl"].folds
    assert not set(all_tasks()) & set(load_ontology().cohorts)


def test_what_decides_a_class_is_in_its_hash() -> None:
    diagnostic, every = find_task("ptbxl-diagnostic").label_hashes, find_task("ptbxl-all").label_hashes
    assert set(diagnostic) < set(every)
    assert not set(diagnostic.values()) & set(every.values()), "the same class, left out of other records"
    task = find_task("code-six")
    other = replace(task, means={**task.means, "AF": ("AF", "SB")})
    changed = [name for name in task.classes if task.label_hashes[name] != other.label_hashes[name]]
    assert changed == ["SB"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("home")
    write_ptb_xl(root)
    cohort = open_cohort("ptb-xl", root)
    assert cohort is not None
    return prepare(cohort, root / "cache")


def test_a_store_seen_through_a_task(store: Store) -> None:
    seen = open_task("ptbxl-rhythm", store, None)
    assert len(seen) == len(store)
    np.testing.assert_array_equal(seen.counts(3), store.counts(3))
    assert seen.recordings == store.fingerprint != seen.fingerprint
    assert (seen.card.id, seen.card.simulated) == ("ptbxl-rhythm", False)
    pd.testing.assert_series_equal(seen.index["fold"], store.index["fold"])
    positive = seen.labels.columns[(seen.labels == 1).any()]
    assert set(positive) == {"PTBXL_SCP_AFIB", "PTBXL_SCP_SR"}
    assert (seen.labels[list(load_ontology().concepts.index)] == -1).all(axis=None)
    again = pickle.loads(pickle.dumps(seen))
    assert (again.card.id, again.fingerprint) == (seen.card.id, seen.fingerprint)


def test_a_record_without_a_class_is_in_no_fold(store: Store) -> None:
    seen = open_task("ptbxl-form", store, None)
    assert seen.index["fold"].isna().all()
    assert not any(len(rows_of(seen, part)) for part in ("training", "validation", "test"))
    assert seen.fingerprint != open_task("ptbxl-all", store, None).fingerprint


def test_the_authors_lists_of_records_are_the_folds(tmp_path: Path) -> None:
    write_challenge(tmp_path, "cpsc_2018", records=4)
    cohort = open_cohort("cpsc-2018", tmp_path)
    assert cohort is not None
    store = prepare(cohort, tmp_path / "cache")
    ids = store.index["record_id"].tolist()
    task = find_task("merl-cpsc")
    folder = tmp_path / task.folder
    folder.mkdir()
    with pytest.raises(UsageError, match=r"needs the authors' list of records .*icbeb_train\.csv"):
        open_task(task.name, store, tmp_path)
    lists = zip(task.splits, ([ids[0]], [ids[1], "A9999"], [ids[2]]), strict=True)
    for file, listed in lists:
        pd.DataFrame({"patient_id": range(len(listed)), "filename": listed}).to_csv(
            folder / file, index=False
        )
    seen = open_task(task.name, store, tmp_path)
    assert seen.index["fold"].fillna(-1).tolist() == [0, 1, 2, -1]
    pd.DataFrame({"ecg_path": [f"/chapman/01/{ids[0]}.mat"]}).to_csv(folder / task.splits[2], index=False)
    with pytest.raises(UsageError, match=f"lists record {ids[0]}, which another list has"):
        open_task(task.name, store, tmp_path)
    (folder / task.splits[2]).write_text("name\nA0001\n")
    with pytest.raises(UsageError, match="neither a column ecg_path nor filename"):
        open_task(task.name, store, tmp_path)
