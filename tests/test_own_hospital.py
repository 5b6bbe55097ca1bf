"""One hospital in four native forms gives the same numbers: nothing is lost between a file and a cell."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cohorts.catalogue import forget, open_cohort
from cohorts.formats.wfdb_files import read_record
from cohorts.labelled import LabelledIndex
from cohorts.recording import STANDARD_LEADS, DigitalRecording, standard_leads
from tests.cohorts.formats.binary_files import write_dicom
from tests.cohorts.formats.test_privacy import identifying
from tests.cohorts.formats.vendor_files import write_muse
from tests.commands import command
from tests.documented import Typed, blocks, type_session, typing_at

RECORDS = 100
CONCEPTS = {"AF": "af", "LVH": "lvh", "NSR": "sinus"}
FORMS = ("wfdb", "npy", "dicom", "muse")
MUSE_STEP = 4.88
"""Microvolts of a count, as GE writes it."""

MODEL = '''\
import numpy as np


class Shape:
    """Sharp, untrained measures of a signal, so that a shift of a sample or a swapped lead moves a score."""

    card = {
        "name": "shape",
        "version": "1",
        "outputs": ["AF", "LVH", "NSR"],
        "input": {"sampling_rate": 500, "seconds": 10},
        "probabilities": False,
        "trained_on": [],
        "licence": "MIT",
        "citation": "none",
    }

    def predict(self, batch):
        x = batch.signals.astype(np.float64)
        slope = np.abs(np.diff(x[:, 1], axis=1))
        heights = x[:, 10].max(axis=1) - x[:, 6].min(axis=1)
        atria = x[:, 6, 100:-100].std(axis=1) - 0.3 * x[:, 3].std(axis=1)
        rhythm = np.quantile(slope, 0.99, axis=1) - x[:, 5, ::7].std(axis=1)
        return np.stack([atria, heights, rhythm], axis=1)
'''

DESCRIPTION = """\
[cohort]
id = "hospital-{form}"
name = "A hospital ({form})"
index = "ecgs.csv"
record_id = "ecg_id"
patient_id = "patient"
age = "age"
sex = "sex"
signals = "{signals}"
format = "{format}"
{array}
[labels]
columns = {{ AF = "af", LVH = "lvh", NSR = "sinus" }}
"""
ARRAY = """
[array]
axes = ["records", "samples", "leads"]
unit = "uV"
rate = 500
leads = ["aVF", "I", "II", "III", "V6", "V5", "V4", "V3", "V2", "V1", "aVR", "aVL"]
"""
ORDER = ("aVF", "I", "II", "III", "V6", "V5", "V4", "V3", "V2", "V1", "aVR", "aVL")
SIGNALS = {"wfdb": "ecg/{file}.hea", "npy": "all.npy", "dicom": "ecg/{file}.dcm", "muse": "ecg/{file}.xml"}


@pytest.fixture(scope="module")
def hospitals(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a hospital in each form, of records with and without fibrillation and hypertrophy."""
    home = tmp_path_factory.mktemp("hospitals")
    (home / "shape.py").write_text(MODEL)
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    release = LabelledIndex(cohort)
    rare = np.flatnonzero((release.labels[["AF", "LVH"]] == 1).any(axis=1))
    common = np.setdiff1d(np.arange(len(release.index)), rare)
    rows = np.sort(np.concatenate([rare[:50], common[:: len(common) // 70]])[:RECORDS])
    index, labels = release.index.iloc[rows], release.labels.iloc[rows]
    table = pd.DataFrame(
        {
            "ecg_id": index["record_id"],
            "patient": index["patient_id"],
            "age": index["age"],
            "sex": index["sex"],
            "file": [Path(path).stem for path in index["path"]],
            **{column: labels[concept].map({1: "1", 0: "0", -1: ""}) for concept, column in CONCEPTS.items()},
        }
    )
    recordings = [standard_leads(read_record(cohort.root / path)) for path in index["path"]]
    for form in FORMS:
        folder = home / form
        (folder / "ecg").mkdir(parents=True)
        table.to_csv(folder / "ecgs.csv", index=False)
        (folder / "cohort.toml").write_text(
            DESCRIPTION.format(
                form=form,
                signals=SIGNALS[form],
                format="npy" if form == "npy" else "auto",
                array=ARRAY if form == "npy" else "",
            )
        )
        for name, path, found in zip(table["file"], index["path"], recordings, strict=True):
            write(form, folder / "ecg" / name, cohort.root / path, found)
    rows_of = [STANDARD_LEADS.index(lead) for lead in ORDER]
    values = np.stack([1000 * found.to_recording().signal[rows_of].T for found in recordings])
    np.save(home / "npy" / "all.npy", values.round().astype(np.int16))
    return home


def write(form: str, path: Path, header: Path, found: DigitalRecording) -> None:
    """Write a recording as an electrocardiograph of this form would."""
    if form == "wfdb":
        for suffix in (".hea", ".dat"):
            shutil.copyfile(header.with_suffix(suffix), path.parent / f"{header.stem}{suffix}")
    elif form == "dicom":
        write_dicom(path.with_suffix(".dcm"), found)
    elif form == "muse":  # eight leads in steps of 4.88 uV; the others are derived from them
        eight = [STANDARD_LEADS.index(lead) for lead in ("I", "II", *STANDARD_LEADS[6:])]
        counts = np.rint(1000 / MUSE_STEP * found.to_recording().signal[eight]).astype(np.int16)
        gain = np.full(8, 1000 / MUSE_STEP)
        leads = tuple(STANDARD_LEADS[row] for row in eight)
        coarse = DigitalRecording(counts, gain, np.zeros(8), found.sampling_rate, leads)
        write_muse(path.with_suffix(".xml"), coarse)


@pytest.fixture(scope="module")
def records(hospitals: Path) -> dict[str, dict]:
    """Result record of each form, made by a command."""
    files = [part for form in FORMS for part in ("--cohort-file", f"{form}/cohort.toml")]
    cohorts = [part for form in FORMS for part in ("--cohort", f"hospital-{form}")]
    options = ("--model", "shape.py:Shape", "--resamples", "200", "--out", "run")
    command(hospitals, "run", *cohorts, *files, *options)
    return {
        form: json.loads((hospitals / f"run/shape/as-is/hospital-{form}.json").read_text()) for form in FORMS
    }


def areas(record: dict) -> dict[str, float]:
    """AUROC by concept."""
    return {name: found["auroc"]["value"] for name, found in record["evaluation"]["concepts"].items()}


def scores(home: Path, form: str) -> pd.DataFrame:
    found = pd.read_parquet(home / f"run/shape/as-is/hospital-{form}.parquet")
    return found.set_index("record_id").sort_index()


@pytest.mark.parametrize("form", ["npy", "dicom"])
def test_forms_of_full_resolution_agree(hospitals: Path, records: dict[str, dict], form: str) -> None:
    """Both hold whole microvolts, as WFDB does: scores agree to float32, areas to 1e-9."""
    wfdb, other = (scores(hospitals, name) for name in ("wfdb", form))
    pd.testing.assert_frame_equal(other, wfdb, rtol=1e-6, atol=1e-6)
    assert len(areas(records["wfdb"])) == 3
    for concept, area in areas(records["wfdb"]).items():
        assert areas(records[form])[concept] == pytest.approx(area, abs=1e-9)


def test_eight_leads_in_coarse_steps_agree_within_their_rounding(
    hospitals: Path, records: dict[str, dict]
) -> None:
    """A score moves by at most a few steps of 4.88 uV, and no pair further apart than that changes places."""
    wfdb, muse = (scores(hospitals, form) for form in ("wfdb", "muse"))
    moved = np.abs(muse - wfdb).max(axis=None)
    assert 0 < moved < 4 * MUSE_STEP / 1000
    for concept, area in areas(records["wfdb"]).items():
        assert areas(records["muse"])[concept] == pytest.approx(area, abs=0.02)


def test_the_areas_are_those_of_another_implementation(hospitals: Path, records: dict[str, dict]) -> None:
    table = pd.read_csv(hospitals / "wfdb" / "ecgs.csv", dtype={"ecg_id": "str"}).set_index("ecg_id")
    found = scores(hospitals, "wfdb")
    for concept, column in CONCEPTS.items():
        stated = table[column].dropna()
        expected = roc_auc_score(stated, found.loc[stated.index, concept])
        assert areas(records["wfdb"])[concept] == pytest.approx(expected, abs=1e-12)


def test_the_same_people_are_evaluated(records: dict[str, dict]) -> None:
    for record in records.values():
        assert record["cohort"]["private"]
        assert record["relation"] == "external"
        assert {found["n"] for found in record["evaluation"]["concepts"].values()} == {84, 91, 98}


def test_one_hospital_under_four_names_is_noticed(records: dict[str, dict]) -> None:
    """By its signals: the card of a hospital's own cohort tells nothing of whom it shares patients with."""
    for form, record in records.items():
        shared = {other["cohort"]: other["shared"] for other in record["overlap"]["cohorts"]}
        assert shared == {f"hospital-{other}": RECORDS for other in FORMS if other != form}


TYPES = {"docs/own-hospital.md": ["Your own hospital"]}
PAGE = Path(__file__).parents[1] / "docs" / "own-hospital.md"


@pytest.fixture
def types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    yield from typing_at(tmp_path, monkeypatch, capfd)
    forget("my-clinic")


def test_the_page_is_typed_as_it_stands(shared: Path, tmp_path: Path, types: Typed) -> None:
    """Every command of the page is typed on its own folder, and prints what the page shows, hashes apart."""
    page = PAGE.read_text("utf-8")
    clinic = tmp_path / "clinic"
    (clinic / "ecg").mkdir(parents=True)
    for file in (shared / "data" / "vendor").rglob("*.*"):
        shutil.copyfile(file, clinic / "ecg" / file.name)
    table, started, codes = blocks(page, "csv")
    (clinic / "ecgs.csv").write_text(table)
    description, named = blocks(page, "toml")
    (tmp_path / "leadboard.toml").write_text(f'data = "{shared / "data"}"\n{named}')
    for code in blocks(page, "console"):
        type_session(code, types)
        if "new-cohort" in code:
            made, told = tomllib.loads((clinic / "cohort.toml").read_text()), tomllib.loads(description)
            assert made == told, "the page shows what is written"
            assert (clinic / "codes.csv").read_text() == started
            (clinic / "codes.csv").write_text(codes)
    assert len(list((tmp_path / "first-look").glob("*.png"))) == 3
    assert nothing_of_a_person(clinic, tmp_path)


def nothing_of_a_person(clinic: Path, made: Path) -> bool:
    """Whether what the devices' files say of people, places and days is in nothing that was made of them."""
    ours = b"".join(
        path.read_bytes()
        for room in ("benchmark", "cohorts")
        for path in (PAGE.parents[1] / room).rglob("*")
        if path.suffix in (".py", ".csv", ".j2", ".css", ".js", ".yaml")
    )
    written = ours + (clinic / "ecgs.csv").read_bytes()
    words = set().union(*(identifying(path) for path in (clinic / "ecg").iterdir()))
    told = [word.encode() for word in words if word.encode() not in written]
    assert len(told) > 50
    for path in made.rglob("*"):
        if path.is_file() and clinic not in path.parents:
            content = path.read_bytes()
            assert not [word for word in told if word in content], path
    return True
