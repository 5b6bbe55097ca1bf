"""SPH, CODE-15 %, CODE-test and EchoNext beside an independent reader (ecgbench, an extra of the tests).

Every disagreement that is meant is named here:

- ecgbench keeps CODE's zero padding, we cut it.
- ecgbench leaves EchoNext's "no_split" out of its partition, we keep it as fold 4.
- ecgbench counts EchoNext's "presumed none" as measured, here it is -1.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.families.code import CLASSES
from cohorts.ontology import load_ontology
from cohorts.simulator.simulate import simulate
from cohorts.sources.code_test import READERS
from cohorts.sources.echonext import COUNT, DEVIATION, MEAN, EchoNext
from tests.cohorts.array_releases import write_table

pytest.importorskip("ecgbench")

from ecgbench import load_config
from ecgbench.dataset import _load_signal as their_signal
from ecgbench.labels import code15, code_test, echonext, sph
from ecgbench.splitting.strategies.code15 import build_signal_paths
from ecgbench.splitting.strategies.echonext import EchoNextSplitter

CONCEPTS = {"1dAVb": "IAVB", "RBBB": "RBBB", "LBBB": "LBBB", "SB": "SB", "AF": "AF", "ST": "STach"}
STEP = 2e-4  # of the 16 bits that a lead is stored in, for signals of a few millivolts


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, sites=["sph", "code-15", "code-test", "echonext"], scale=0.15)
    return root


def labels_of(cohort, index: pd.DataFrame) -> pd.DataFrame:
    card = cohort.card
    return load_ontology().labels(card.id, card.vocabulary, index["statements"].tolist())


def check_padded(signal: np.ndarray, padded: np.ndarray) -> None:
    """Check that nothing but zeros was cut, and as many before as after."""
    margin = (padded.shape[1] - signal.shape[1]) // 2
    assert not padded[:, :margin].any()
    assert not padded[:, margin + signal.shape[1] :].any()
    np.testing.assert_allclose(signal, padded[:, margin : margin + signal.shape[1]], atol=STEP)


def write_code_book(folder: Path, facts: pd.DataFrame) -> None:
    """Write the table of statements that the release has and the samples lack."""
    rows = [
        {
            "Category": "Modifier" if row.kind == "modifier" else row.category,
            "Code": row.aha_code,
            "Description": row.statement,
        }
        for row in facts.drop_duplicates("aha_code").itertuples()
    ]
    write_table(folder / "code.csv", rows)


@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_sph(request, shared, tmp_path, kind):
    root = shared / "data" if kind == "real" else request.getfixturevalue("simulated")
    shutil.copytree(root / "sph", tmp_path / "sph", ignore=shutil.ignore_patterns("SIMULATED.txt"))
    write_code_book(tmp_path / "sph", pd.read_csv(shared / "facts/aha_statements.csv", dtype="str"))
    theirs = sph.load_labels(tmp_path / "sph", load_config("sph"))
    cohort = open_cohort("sph", tmp_path)
    ours = cohort.index().set_index("record_id")
    theirs = theirs.loc[ours.index]
    assert ours["patient_id"].tolist() == theirs["patient_id"].tolist()
    assert ours["age"].tolist() == theirs["age"].tolist()
    assert ours["sex"].map({"female": "F", "male": "M"}).tolist() == theirs["sex"].tolist()
    for codes, primaries, statements in zip(
        ours["statements"], theirs["aha_primary_codes"], theirs["aha_statements"], strict=True
    ):
        assert list(dict.fromkeys(code.split("+")[0] for code in codes)) == primaries.split(";")
        assert list(codes) == list(dict.fromkeys(statements.split(";")))
    normal = labels_of(cohort, cohort.index())["NORM"] == 1
    assert normal.tolist() == theirs["is_normal"].tolist()
    for record_id in ours.index[:8]:
        signal = cohort.read(record_id).to_recording().signal
        path = tmp_path / "sph" / theirs.loc[record_id, "signal_path"]
        np.testing.assert_allclose(signal, their_signal(str(path), "hdf5"), atol=STEP)


def test_code_15(simulated, tmp_path):
    theirs = code15.load_labels(simulated / "code-15", load_config("code15"))
    paths = build_signal_paths(simulated / "code-15", theirs["trace_file"])
    # All of theirs before ours: HDF5 opens no file twice that is open with other settings.
    tracings = {
        exam_id: their_signal(f"{simulated / 'code-15'}/{path}", "hdf5")
        for exam_id, path in paths.iloc[::5].items()
    }
    cohort = open_cohort("code-15", simulated)
    index = cohort.index()
    theirs = theirs.loc[index["record_id"].astype(int)]
    assert index["patient_id"].tolist() == theirs["patient_id"].astype(str).tolist()
    assert index["age"].tolist() == theirs["age"].tolist()
    assert index["sex"].map({"female": "F", "male": "M"}).tolist() == theirs["sex"].tolist()
    assert ["normal_ecg" in codes for codes in index["statements"]] == theirs["normal_ecg"].tolist()
    labels = labels_of(cohort, index)
    for name, concept in CONCEPTS.items():
        assert (labels[concept] == 1).tolist() == theirs[name].tolist()
        assert (labels[concept] != -1).all()
    for record_id, path in zip(index["record_id"], index["path"], strict=True):
        their_path = paths[int(record_id)]
        assert path == their_path.replace(":tracings:", "/")
    for exam_id, padded in tracings.items():
        check_padded(cohort.read(str(exam_id)).to_recording().signal, padded)


@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_code_test(request, monkeypatch, kind):
    root = (
        request.getfixturevalue("shared") / "data" if kind == "real" else request.getfixturevalue("simulated")
    )
    tracing = None
    if kind == "simulated":
        tracing = their_signal(f"{root}/code-test/ecg_tracings.hdf5:tracings:3", "hdf5")
    cohort = open_cohort("code-test", root)
    index = cohort.index()
    monkeypatch.setattr(code_test, "N_RECORDS", len(index))  # it takes 827 rows and no others
    theirs = code_test.load_labels(root / "code-test", load_config("code_test"))
    assert index["record_id"].astype(int).tolist() == theirs.index.tolist()
    assert index["age"].tolist() == theirs["age"].tolist()
    assert index["sex"].map({"female": "F", "male": "M"}).tolist() == theirs["sex"].tolist()
    labels, readers = labels_of(cohort, index), cohort.readers()
    for name, concept in CONCEPTS.items():
        assert (labels[concept] == 1).tolist() == theirs[name].tolist()
        for reader in READERS:
            assert readers[reader, name].tolist() == theirs[f"{reader}_{name}"].tolist()
    assert list(cohort.leads) == load_config("code_test").lead_names
    if tracing is not None:
        check_padded(cohort.read("003").to_recording().signal, tracing)


def test_echonext(simulated, tmp_path):
    shutil.copytree(simulated / "echonext", tmp_path / "echonext")
    cohort = open_cohort("echonext", tmp_path)
    index = cohort.index()
    theirs = echonext.load_labels(tmp_path / "echonext").loc[index["record_id"].astype(int)]
    labels = labels_of(cohort, index)
    compared = 0
    for concept, flag in _flags():
        measured = theirs[f"{flag}_measured"].to_numpy()
        presumed = _presumed(theirs, flag)
        expected = np.where(theirs[flag] == 1, 1, np.where(measured & ~presumed, 0, -1))
        assert labels[concept].tolist() == expected.tolist(), concept
        compared += presumed.any()
    assert compared, "no 'presumed none' in the release"
    assert labels["SHD"].tolist() == theirs["shd_moderate_or_greater_flag"].tolist()
    reading = EchoNext(tmp_path / "echonext", "publisher")
    as_published = labels_of(reading, index)
    for concept, flag in _flags():
        assert as_published[concept].tolist() == theirs[flag].tolist(), concept
    assert index["patient_id"].tolist() == theirs["patient_key"].astype(str).tolist()
    assert index["age"].tolist() == theirs["age_at_ecg"].tolist()

    table = EchoNextSplitter().load_metadata(tmp_path / "echonext", load_config("echonext"))
    split = table.set_index(table["ecg_key"].astype(str))
    assert (
        split["fold"].astype("Int64").tolist()
        == index.set_index("record_id").loc[split.index, "fold"].tolist()
    )
    assert (index.loc[~index["record_id"].isin(split.index), "fold"] == 4).all()
    for record_id in split.index[::7]:
        path = f"{tmp_path}/echonext/{split.loc[record_id, 'signal_path']}"
        signal = cohort.read(record_id).to_recording().signal
        millivolts = (their_signal(path, "npy").T * DEVIATION + MEAN).T * COUNT
        np.testing.assert_allclose(signal, millivolts, atol=2e-3)


def _flags() -> list[tuple[str, str]]:
    table = load_ontology().vocabularies["echonext"]
    same = table[(table["relation"] == "same") & table["code"].str.endswith("_flag")]
    same = same[same["concept"] != "SHD"]
    return list(zip(same["concept"], same["code"], strict=True))


def _presumed(theirs: pd.DataFrame, flag: str) -> np.ndarray:
    values = [value for value in echonext.FLAG_SOURCES[flag] if value in echonext.ORDINAL_LEVELS]
    return (theirs[values].astype("str") == "presumed none").any(axis=1).to_numpy()


def test_classes_have_the_same_names():
    assert set(code15.ABNORMALITIES) == set(code_test.ABNORMALITIES) == set(CLASSES)
