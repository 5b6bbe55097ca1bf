"""WFDB releases beside an independent reader (ecgbench, an extra of the tests).

Every disagreement that is meant is named here:

- ecgbench leaves LUDB's age ``>89`` out, we read 90.
- ecgbench keeps PTB-XL's age 300, which stands for more than 89, we read 90.
- ecgbench leaves PTB Diagnostic's reason ``n/a`` out, for us it is a statement that hides infarcts.
- ecgbench cuts a comma off the end of INCART's findings, we keep the text as it stands.
- ecgbench reads ZZU-pECG's records of nine leads, we quarantine them.
- ecgbench keeps all fifteen leads of PTB Diagnostic, we compare twelve.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.cohort import Cohort
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.simulate import simulate
from cohorts.tasks import find_task
from tests.cohorts.wfdb_releases import WRITERS

pytest.importorskip("ecgbench")

from ecgbench import load_config
from ecgbench.dataset import _load_signal as their_signal
from ecgbench.labels import incartdb, ludb, mimic_iv_ecg, ptbdb, ptbxl, zzu_pecg
from ecgbench.splitting.strategies import ecg_arrhythmia

SIMULATED = {
    "ludb": 0.3,
    "mimic-iv-ecg": 0.5,
    "ptbdb": 1.0,
    "incartdb": 0.3,
    "ecg-arrhythmia": 0.1,
    "zzu-pecg": 0.5,
}
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")

Find = Callable[[str, str], Cohort]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated")
    for cohort_id, scale in SIMULATED.items():
        simulate(root, sites=[cohort_id], scale=scale)
    return root


@pytest.fixture
def find(request: pytest.FixtureRequest, tmp_path: Path) -> Find:
    """Open a release that is real, simulated, or written by the tests."""

    def open_one(kind: str, cohort_id: str) -> Cohort:
        if kind == "written":
            WRITERS[cohort_id](tmp_path, cohort_id)
            root = tmp_path
        else:
            root = request.getfixturevalue("simulated" if kind == "simulated" else "shared")
            root = root / "data" if kind == "real" else root
        cohort = open_cohort(cohort_id, root)
        if cohort is None:
            pytest.skip(f"there is no sample of {cohort_id}")
        return cohort

    return open_one


def same_numbers(ours: pd.Series[float], theirs: pd.Series[float]) -> None:
    np.testing.assert_allclose(ours.astype(float), theirs.astype(float))


def same_signal(cohort: Cohort, record_id: str, path: str, order: npt.ArrayLike = slice(12)) -> None:
    """Compare the twelve leads; a float32 of theirs is a float32 of ours but for its last bits."""
    theirs = their_signal(f"{cohort.root}/{path}", "wfdb")
    recording = cohort.read(record_id).to_recording()
    names = [lead.lower() for lead in recording.leads]
    ours = recording.signal[[names.index(lead.lower()) for lead in STANDARD_LEADS]]
    np.testing.assert_allclose(ours, theirs[order], rtol=1e-5, atol=1e-6)


def test_ptb_xl(find):
    cohort = find("real", "ptb-xl")
    ours = cohort.index()
    theirs = ptbxl.load_labels(cohort.root, load_config("ptbxl")).loc[ours["record_id"].astype(int)]
    # Likelihoods, the axis and the extra beats are ours alone.
    native = [{code.partition("+")[0] for code in codes if " " not in code} for codes in ours["statements"]]
    assert native == [set(codes) for codes in theirs["scp_codes"]]
    labels = find_task("ptbxl-super").labels(ours["statements"].tolist())
    for name in SUPERCLASSES:
        assert (labels[f"PTBXL_{name}"] == 1).tolist() == [
            name in classes for classes in theirs["superclasses"]
        ]
    assert ours["patient_id"].tolist() == theirs["patient_id"].astype(int).astype(str).tolist()
    assert ours["sex"].map({"male": 0, "female": 1}).tolist() == theirs["sex"].tolist()
    assert ours["fold"].astype(int).tolist() == theirs["strat_fold"].tolist()
    same_numbers(ours["age"], theirs["age"].replace(300, 90))
    for row in ours.iloc[::100].itertuples():
        same_signal(cohort, row.record_id, row.path.removesuffix(".hea"))


@pytest.mark.parametrize("kind", ["real", "simulated", "written"])
def test_ludb(find, kind):
    cohort = find(kind, "ludb")
    ours = cohort.index()
    theirs = ludb.load_labels(cohort.root, load_config("ludb"))
    theirs = theirs.set_index(theirs.index.astype(str).str.strip()).loc[ours["record_id"]]
    columns = list(ludb._MULTI_LABEL.values())
    for codes, (_, row) in zip(ours["statements"], theirs.iterrows(), strict=True):
        axis = row["electric_axis"] or "not stated"
        assert set(codes) == {
            *(statement for column in columns for statement in row[column]),
            f"Electric axis of the heart: {axis}",
        }
    assert ours["sex"].map({"male": "M", "female": "F"}).tolist() == theirs["sex"].tolist()
    assert (theirs["age_raw"][theirs["age"].isna()] == ">89").all()
    same_numbers(ours["age"], theirs["age"].fillna(90))
    for record_id in ours["record_id"][::20]:
        same_signal(cohort, record_id, f"data/{record_id}")


@pytest.mark.parametrize("kind", ["simulated", "written"])
def test_mimic_iv_ecg(find, kind):
    cohort = find(kind, "mimic-iv-ecg")
    ours = cohort.index()
    theirs = mimic_iv_ecg.load_labels(cohort.root, load_config("mimic_iv_ecg"))
    theirs = theirs.loc[ours["record_id"].astype(int)]
    assert ours["report"].str.replace("\n", " | ").tolist() == theirs["report_text"].tolist()
    first = [report.split("\n")[0] for report in ours["report"]]
    assert [mimic_iv_ecg.normalise_report_line(line) for line in first] == theirs["primary_report"].tolist()
    order = [0, 1, 2, 3, 5, 4, *range(6, 12)]  # theirs is the file's, aVF before aVL
    for row in ours.iloc[::10].itertuples():
        same_signal(cohort, row.record_id, row.path.removesuffix(".hea"), order)


@pytest.mark.parametrize("kind", ["simulated", "written"])
def test_ptbdb(find, kind):
    cohort = find(kind, "ptbdb")
    ours = cohort.index()
    theirs = ptbdb.load_labels(cohort.root, load_config("ptbdb")).loc[ours["record_id"]]
    reasons = [codes[0].removeprefix("reason: ") for codes in ours["statements"]]
    assert reasons == theirs["diagnosis"].str.lower().replace("", "n/a").tolist()
    assert ours["patient_id"].tolist() == theirs["patient_id"].tolist()
    assert ours["sex"].tolist() == theirs["sex"].tolist()
    same_numbers(ours["age"], theirs["age"])
    for row in ours.itertuples():
        same_signal(cohort, row.record_id, row.path.removesuffix(".hea"))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas 3 deprecates what wfdb does
@pytest.mark.parametrize("kind", ["simulated", "written"])
def test_incartdb(find, kind):
    cohort = find(kind, "incartdb")
    ours = cohort.index()
    theirs = incartdb.load_labels(cohort.root, load_config("incartdb")).loc[ours["record_id"]]
    for codes, (_, row) in zip(ours["statements"], theirs.iterrows(), strict=True):
        found = {code.removeprefix("beat ") for code in codes if code.startswith("beat ")}
        assert found == {symbol for symbol in incartdb.BEAT_SYMBOLS if row[f"beat_{symbol}"]}
    assert [f"patient{int(number):02d}" for number in ours["patient_id"]] == theirs["patient_id"].tolist()
    assert ours["report"].str.rstrip(",").tolist() == theirs["record_features"].tolist()
    assert ours["sex"].map({"male": "M", "female": "F"}).tolist() == theirs["sex"].tolist()
    same_numbers(ours["age"], theirs["age"])
    same_signal(cohort, ours["record_id"][0], ours["record_id"][0])


@pytest.mark.parametrize("kind", ["simulated", "written"])
def test_ecg_arrhythmia(find, kind):
    cohort = find(kind, "ecg-arrhythmia")
    ours = cohort.index()
    theirs = ecg_arrhythmia.build_metadata(cohort.root, load_config("ecg_arrhythmia"))
    assert ours["record_id"].tolist() == theirs["record_name"].tolist()
    assert [set(codes) for codes in ours["statements"]] == [set(codes.split(",")) for codes in theirs["dx"]]
    assert ours["sex"].str.capitalize().tolist() == theirs["sex"].tolist()
    same_numbers(ours["age"], theirs["age"].replace("", np.nan))
    for row in ours.iloc[::20].itertuples():
        same_signal(cohort, row.record_id, row.path.removesuffix(".hea"))


def test_zzu_pecg(find, tmp_path):
    cohort = find("simulated", "zzu-pecg")
    ours = cohort.index()
    theirs = zzu_pecg.load_labels(cohort.root, load_config("zzu_pecg")).loc[ours["record_id"]]
    for codes, (_, row) in zip(ours["statements"], theirs.iterrows(), strict=True):
        assert list(codes) == list(dict.fromkeys(row["aha_codes"].split(",")))
    assert ours["patient_id"].tolist() == theirs["patient_id"].tolist()
    assert ours["path"].tolist() == [f"{path}.hea" for path in theirs["signal_path"]]
    assert ours["sex"].map({"male": "M", "female": "F"}).tolist() == theirs["sex"].tolist()
    same_numbers(ours["age"], theirs["age_years"])
    store = prepare(cohort, tmp_path / "cache")
    nine = theirs.index[theirs["n_leads"] == 9]
    assert store.quarantine["record_id"].tolist() == sorted(nine)
    assert len(nine)
    for record_id in store.index["record_id"][::10]:
        same_signal(cohort, record_id, theirs.loc[record_id, "signal_path"])
