"""INCART, native: findings in words, the patient's diagnoses, and the beats of the annotation files."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb

from cohorts.catalogue import open_cohort
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from tests.cohorts.wfdb_releases import UPPER, counts_of, write_incartdb

# Findings and diagnoses as the release writes them.
FINDINGS = (
    "PVCs, noise",
    "PVCs, AV nodal block 2 degree Moebits 1",
    "polymorphic PVCs, ventricular couplets",
    "WPW on bradycardia",
    "tachycardia and baseline wander",
    "APCs, supraventricular couplets, paroxysmal supraventricular tachycardia",
    "atrial fibrillation, ST depression",
    "paroxysmal VT with fusion beats",
    "right bundle branch block, positional changes",
    "sinus arrhythmia",
    "blocked APCs",
)
DIAGNOSES = (
    "Acute MI",
    "Earlier MI",
    "Coronary artery disease, arterial hypertension",
    "Coronary artery disease, arterial hypertension, left ventricular hypertrophy",
    "Transient ischemic attack",
    "Sinus node dysfunction",
)


def one(tmp_path, findings: str = "PVCs", diagnoses: str = "") -> tuple[str, ...]:
    line = "#<age>: 65 <sex>: F" + (f" <diagnoses> {diagnoses}" if diagnoses else "")
    write_incartdb(tmp_path, [[line, "# patient 1", f"# {findings}"]])
    return open_cohort("incartdb", tmp_path).index()["statements"][0]


def labels(*codes: str):
    return load_ontology().labels("incartdb", "incart", [codes]).loc[0]


def test_rows_are_read_as_they_stand(tmp_path):
    write_incartdb(tmp_path)
    rows = open_cohort("incartdb", tmp_path).index()
    assert rows["statements"][0] == (
        "pvcs",
        "noise",
        "diagnosis: coronary artery disease",
        "diagnosis: arterial hypertension",
        "beat N",
        "beat V",
    )
    assert rows["statements"][1] == ("wpw", "bradycardia", "beat N", "beat V")
    assert list(rows["patient_id"]) == ["1", "1", "2"]
    assert list(rows["age"]) == [65.0, 65.0, 41.0]
    assert list(rows["sex"]) == ["female", "female", "male"]
    assert list(rows["report"]) == ["PVCs, noise", "WPW on bradycardia", "atrial fibrillation"]


def test_each_record_has_its_own_gain(tmp_path):
    write_incartdb(tmp_path)
    cohort = open_cohort("incartdb", tmp_path)
    for number in (1, 2, 3):
        recording = cohort.read(f"I0{number}").to_recording()
        assert recording.sampling_rate == 257.0
        wanted = counts_of(number, UPPER) / (250 + 56 * number)
        np.testing.assert_allclose(recording.signal, wanted, atol=1e-6)


@pytest.mark.parametrize("findings", FINDINGS)
def test_every_finding_is_known(tmp_path, findings):
    assert load_ontology().unknown_codes("incart", [one(tmp_path, findings)]) == {}


@pytest.mark.parametrize("diagnoses", DIAGNOSES)
def test_every_diagnosis_is_known(tmp_path, diagnoses):
    assert load_ontology().unknown_codes("incart", [one(tmp_path, diagnoses=diagnoses)]) == {}


@pytest.mark.parametrize(
    ("findings", "wanted"),
    [
        ("WPW on bradycardia", {"WPW": 1, "Brady": 1, "PVC": 1, "PAC": 0, "AF": 0, "IIAVB": 0}),
        ("AV nodal block 2 degree Moebits 1", {"IIAVB": 1, "AVB": -1}),
        ("AV nodal block", {"IIAVB": -1}),
        ("supraventricular couplets", {"PAC": 1}),
        ("right bundle branch block", {"RBBB": -1}),
        ("paroxysmal VT", {"VT": 1, "SVT": 0}),
    ],
)
def test_labels(tmp_path, findings, wanted):
    found = labels(*one(tmp_path, findings))
    assert {concept: int(found[concept]) for concept in wanted} == wanted


def write_beats(folder, samples, symbols, aux=None):
    """The annotation file of I01, as wfdb writes it."""
    wfdb.wrann("I01", "atr", np.array(samples), symbol=symbols, aux_note=aux, write_dir=str(folder))


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas 3 deprecates what wfdb does
@pytest.mark.parametrize(
    ("samples", "symbols", "aux", "wanted"),
    [
        ([100, 300, 500], ["N", "A", "V"], None, {"beat N", "beat A", "beat V"}),
        ([100, 300, 90_000], ["N", "N", "V"], None, {"beat N", "beat V"}),
        ([5000, 400_000, 400_100], ["N", "S", "F"], None, {"beat N", "beat S", "beat F"}),
        ([10, 20, 700], ["r", "B", "Q"], None, {"beat r", "beat B", "beat Q"}),
        ([10, 20, 700], ["+", "N", "R"], ["(AFIB", "", ""], {"beat N", "beat R"}),
        ([10, 20, 700], ["+", "N", "j"], ["(N", "odd", "evenly"], {"beat N", "beat j"}),
    ],
)
def test_beats_are_read_from_any_annotation_file(tmp_path, samples, symbols, aux, wanted):
    folder = write_incartdb(tmp_path)
    write_beats(folder, samples, symbols, aux)
    found = open_cohort("incartdb", tmp_path).index()["statements"][0]
    assert {code for code in found if code.startswith("beat")} == wanted


@pytest.mark.parametrize("content", [b"", b"\x47", b"\x47\x04\xb4", b"\x00\x00", b"\xff" * 9, None])
def test_without_beats_ectopy_is_not_negative(tmp_path, content):
    folder = write_incartdb(tmp_path, [["#<age>: 65 <sex>: F", "# patient 1", "# noise"]])
    if content is None:
        (folder / "I01.atr").unlink()
    else:
        (folder / "I01.atr").write_bytes(content)
    codes = open_cohort("incartdb", tmp_path).index()["statements"][0]
    assert codes == ("noise", "beats not known")
    assert labels(*codes)["PVC"] == labels(*codes)["PAC"] == -1
    assert labels("noise", "beat N")["PVC"] == 0


@pytest.mark.parametrize(
    "comments",
    [
        [],
        ["#<age>: 65 <sex>: F"],
        ["# patient 1", "#<age>: 65 <sex>: F", "# PVCs"],
        ["#<age>: 65 <sex>: F", "# patient 1", "#"],
        ["#<age>: 65", "# patient 1", "# PVCs"],
    ],
)
def test_a_header_without_its_comments_is_quarantined(tmp_path, comments):
    whole = ["#<age>: nan <sex>: X <diagnoses>", "# patient 1", "# PVCs"]
    write_incartdb(tmp_path, [whole, comments])
    store = prepare(open_cohort("incartdb", tmp_path), tmp_path / "cache")
    assert store.quarantine["record_id"].tolist() == ["I02"]
    assert "lacks the comments" in store.quarantine["reason"][0]
    assert store.index["age"].isna().all()
    assert store.index["sex"].isna().all()
