"""MIMIC-IV-ECG: lines of machine reports, which hedge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, standard_leads
from cohorts.sources.mimic_iv_ecg import _statements
from tests.cohorts.wfdb_releases import counts_of, write_mimic

LVH = "left ventricular hypertrophy"
RBBB = "right bundle branch block"
HEDGES = ("Probable", "Possible", "Consider", "Borderline", "Cannot rule out", "Suspect")


RARE = (
    "Probable atrial fibrillation with fusion complexes or aberrant ventricular conduction",
    "Sinus rhythm with aberrantly conducted supraventricular complexes with interpolated PVCs",
    "Sinus bradycardia with sinus arrhythmia with 2nd degree (Mobitz II) SA block",
    "Sinus tachycardia with multifocal PVCs with borderline 1st degree A-V block",
    "Sinus bradycardia. Consider 2:1 sino-atrial block",
    "Probable sinus tachycardia. ? atrial tachycardia or flutter + 2:1 A-V block",
    "Sinus arrhythmia with non-sustained ventricular tachycardia",
    "Sinus rhythm with undetermined irregularity",
    "*** EXTENSIVE INFARCT *** with possible acute inferior and anteroseptal changes",
    "Probable recent anteroseptal infarct",
    "Possible anterolateral infarction - age undetermined",
    "Inferior and lateral ST elevation - probable lateral extension of infarct",
    "Ant/septal+lateral T wave changes suggest myocardial infarction",
    "Changes V2-V4 are probably related to poor R wave progression but anteroseptal infarction cannot be "
    "excluded",
    "QRS changes probably due to LVH but consider anteroseptal infarct",
    "Consider anterior infarction though changes may be due to LVH",
    "Probably reciprocal to inferior infarct",
)
"""Lines that fewer than ten of the release's reports hold."""


def statements(tmp_path, *lines: str) -> tuple[str, ...]:
    write_mimic(tmp_path, [lines])
    return open_cohort("mimic-iv-ecg", tmp_path).index()["statements"][0]


def label(concept: str, *codes: str) -> int:
    return int(load_ontology().labels("mimic-iv-ecg", "mimic", [codes]).loc[0, concept])


def test_rows_are_read_as_they_stand(tmp_path):
    write_mimic(tmp_path)
    rows = open_cohort("mimic-iv-ecg", tmp_path).index()
    assert list(rows["record_id"]) == ["40000017", "40000018", "40000019"]
    assert list(rows["patient_id"]) == ["10000032", "10000032", "10000033"]
    assert rows["age"].isna().all()
    assert rows["statements"][0] == ("sinus rhythm", "pacs", "left axis deviation", "abnormal ecg")
    assert rows["statements"][2] == (
        "atrial fibrillation",
        "rapid ventricular response in atrial fibrillation",
        "inferior infarct age undetermined+possible",
        "no conclusion",
    )
    assert rows["report"][0] == "Sinus rhythm with PAC(s)\nLeft axis deviation\nAbnormal ECG"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Sinus rhythm.", ("sinus rhythm",)),
        ("  SINUS   RHYTHM  ", ("sinus rhythm",)),
        ("*** Consider acute ST elevation MI ***", ("acute st elevation mi+consider",)),
        ("rSr'(V1) - probable normal variant", ("rsr'v1 probable normal variant",)),
        ("Atrial fibrillation/flutter", ("atrial fibrillation flutter",)),
        ("Inferior/lateral T wave changes are nonspecific", ("t changes are nonspecific",)),
        (
            "Ant/septal and lateral ST-T changes may be due to myocardial ischemia",
            ("st t changes may be due to myocardial ischemia",),
        ),
        ("Minimal ST depression, anterolateral leads", ("minimal st depression",)),
        ("Inferior ST elevation, consider acute infarct", ("inferior st elevation consider acute infarct",)),
        ("Anterolateral infarct - age undetermined", ("anterolateral infarct age undetermined",)),
        ("Borderline ECG", ("borderline ecg",)),
        ("Borderline left axis deviation", ("left axis deviation+borderline",)),
        ("Low QRS voltages in limb leads", ("low qrs voltages in limb leads",)),
        ("Sinus rhythm with 1st degree A-V block", ("sinus rhythm", "first degree av block")),
        ("Sinus rhythm with 2:1 A-V block", ("sinus rhythm", "2:1 av block in sinus rhythm")),
        ("Atrial flutter with 2:1 A-V block", ("atrial flutter", "2:1 av block in atrial flutter")),
        ("Probable sinus tachycardia with 2:1 A-V block", ("sinus tachycardia+probable", "2:1 av block")),
        ("with frequent Premature ventricular complexes", ("frequent pvcs",)),
        ("LVH with secondary repolarization abnormality", (f"{LVH} with secondary repol abnormality",)),
        ("T wave abnormality, consider inferior ischemia", ("t abnormality consider ischemia",)),
        ("ST & T wave abnormality in Lateral leads", ("st t abnormality",)),
        ("RBBB and LAFB", (f"{RBBB} and left anterior fascicular block",)),
        ("Lateral infarct, acute (LAD)", ("lateral infarct acute lad",)),
    ],
)
def test_lines_are_normalised(tmp_path, line, wanted):
    found = statements(tmp_path, line, "Abnormal ECG")
    assert found == (*wanted, "abnormal ecg")
    assert load_ontology().unknown_codes("mimic", [found]) == {}


@pytest.mark.parametrize(
    ("lines", "normal"),
    [
        (["Normal ECG"], 1),
        (["Sinus rhythm", "Within normal limits"], 1),
        (["Sinus rhythm", "Abnormal ECG"], 0),
        (["Sinus rhythm", "Borderline ECG"], -1),
        (["Summary: tachycardia - otherwise normal ECG"], -1),
        (["Something - otherwise normal ECG"], -1),
        (["Sinus rhythm"], -1),
        (["--- Warning: Data quality may affect interpretation ---", "Sinus rhythm"], -1),
    ],
)
def test_whether_an_ecg_is_normal_is_the_conclusions_matter(tmp_path, lines, normal):
    assert label("NORM", *statements(tmp_path, *lines)) == normal


@pytest.mark.parametrize(
    ("concept", "line", "expected"),
    [
        ("LVH", "Left ventricular hypertrophy", 1),
        ("IMI", "Inferior infarct - age undetermined", 1),
        ("RBBB", "Right bundle branch block", 1),
        ("LAD", "Left axis deviation", 1),
        ("AMI", "Anterior infarct, possibly acute", 1),
        ("AMI", "Septal infarct - age undetermined", -1),
        ("MI", "Septal infarct - age undetermined", 1),
        ("LAD", "Leftward axis", -1),
        ("MI", "Poor R wave progression - cannot rule out anteroseptal infarct", -1),
        ("PRWP", "Poor R wave progression - cannot rule out anteroseptal infarct", 1),
        ("IMI", "Inferior ST elevation, consider acute infarct", -1),
        ("AMI", "Inferior ST elevation, consider acute infarct", 0),
        ("STE", "Inferior ST elevation, consider acute infarct", 1),
        ("LVH", "Minimal voltage criteria for LVH, may be normal variant", -1),
        ("MIs", "Lateral T wave changes may be due to myocardial ischemia", -1),
        ("TInv", "Lateral T wave changes may be due to myocardial ischemia", -1),
        ("TAb", "Lateral T wave changes may be due to myocardial ischemia", 1),
        ("TAb", "Lateral T wave changes may be normal for age", -1),
        ("RBBB", "Incomplete RBBB", 0),
        ("PVC", "Sinus rhythm with PVC(s) or aberrant ventricular conduction", -1),
        ("AFL", "Atrial fibrillation/flutter", -1),
        ("AF_AFL", "Atrial fibrillation/flutter", 1),
        ("IIAVB", "Atrial flutter with 2:1 A-V block", -1),
        ("PR", "Ventricular-paced rhythm", 1),
        ("LBBB", "Pacemaker rhythm - no further analysis", -1),
    ],
)
def test_traps(tmp_path, concept, line, expected):
    found = statements(tmp_path, line, "Abnormal ECG")
    assert load_ontology().unknown_codes("mimic", [found]) == {}
    assert label(concept, *found) == expected


@pytest.mark.parametrize("hedge", HEDGES)
@pytest.mark.parametrize(
    ("finding", "concept"),
    [
        ("left ventricular hypertrophy", "LVH"),
        ("inferior infarct - age undetermined", "IMI"),
        ("atrial fibrillation", "AF"),
        ("left atrial abnormality", "LAE"),
        ("1st degree A-V block", "IAVB"),
    ],
)
def test_a_hedge_is_never_positive(tmp_path, hedge, finding, concept):
    found = statements(tmp_path, f"{hedge} {finding}", "Abnormal ECG")
    assert load_ontology().unknown_codes("mimic", [found]) == {}
    assert label(concept, *found) == -1


def test_no_row_of_the_vocabulary_makes_a_hedged_concept_positive():
    """What follows a hedge is never a finding: only what stands before it may be positive."""
    table = load_ontology().vocabularies["mimic"]
    positive = table[table["relation"].isin(["same", "narrower"])]
    certain = {"STE", "STD", "LAD", "PRWP", "LQT", "TAb", "NSIVCB", "CD", "LQRSV", "LAE", "RAE", "HYP", "SB"}
    certain |= {"STTC", "QAb", "TInv", "RAD", "SA", "LVH", "ERR_LEAD"}
    hedge = r"\b(?:consider|cannot rule out|cannot be (?:excluded|ruled out)|suspect)\b"
    hedged = positive[positive["code"].str.contains(hedge)]
    assert len(hedged) > 20
    assert set(hedged["concept"]) <= certain
    beginning = positive["code"].str.match(r"(?:probable|possible|consider|borderline|cannot rule out) ")
    assert not beginning.any()
    # A suspicion of swapped electrodes is what that concept asks; hypertrophy 'also present' is stated.
    stated = positive["code"].str.endswith("also present+consider") & positive["concept"].isin(["LVH", "HYP"])
    modified = positive["code"].str.contains("+", regex=False)
    assert set(positive.loc[modified & ~stated, "concept"]) == {"ERR_LEAD"}


def test_codes_are_what_normalisation_makes_of_them():
    """A row whose code no line can become would never be used."""
    codes = load_ontology().vocabularies["mimic"]["code"].drop_duplicates()
    for code in codes[~codes.str.startswith("+") & (codes != "no conclusion")]:
        base, _, hedge = code.partition("+")
        assert _statements(f"{hedge} {base}") == (code,), code


def test_leads_are_found_by_name_and_missing_samples_stay_missing(tmp_path):
    folder = write_mimic(tmp_path)
    signal = next(folder.rglob("40000017.dat"))
    header = signal.with_suffix(".hea")
    counts = np.fromfile(signal, "<i2").reshape(-1, 12)
    counts[100:150, 4] = -32768  # aVF, before aVL
    signal.write_bytes(counts.tobytes())
    lines = header.read_text().splitlines()
    cells = lines[5].split()
    assert cells[-1] == "aVF"
    lines[5] = " ".join([*cells[:6], str(int(counts[:, 4].sum(dtype=np.int64)) % 65536), *cells[7:]])
    header.write_text("\n".join(lines) + "\n")
    digital = standard_leads(open_cohort("mimic-iv-ecg", tmp_path).read("40000017"))
    recording = digital.to_recording()
    assert recording.leads == STANDARD_LEADS
    missing = np.isnan(recording.signal)
    assert missing[5, 100:150].all()
    assert missing.sum() == 50
    np.testing.assert_array_equal(digital.counts[4], counts_of(0, ["aVL"])[0])


def test_studies_that_cannot_be_used_are_quarantined(tmp_path):
    folder = write_mimic(
        tmp_path, [["Sinus rhythm"], [], ["Normal ECG"], ["Normal ECG"], ["Normal ECG"], ["Normal ECG"]]
    )
    table = folder / "record_list.csv"
    text = table.read_text("utf-8").replace("files/p1000/p10000033/s40000019/", "../../etc/")
    lines = text.splitlines()
    lines[4] = ",".join(lines[4].split(",")[:-1]) + ","  # no path
    lines += ["10000099,49999999,49999999,2180-07-23 08:44:00,files/x", "10000032,40000017", lines[1]]
    table.write_text("\n".join(lines) + "\n", "utf-8")
    next(folder.rglob("40000021.dat")).unlink()
    store = prepare(open_cohort("mimic-iv-ecg", tmp_path), tmp_path / "cache")
    reasons = dict(zip(store.quarantine["record_id"], store.quarantine["reason"], strict=True))
    assert list(store.index["record_id"]) == ["40000017", "40000022"]
    assert "number of cells: record_list.csv" in reasons.pop("broken-row-0")
    assert "report is empty" in reasons.pop("40000018")
    assert "leaves the release's folder" in reasons.pop("40000019")
    assert "gives no path" in reasons.pop("40000020")
    assert "40000021.dat" in reasons.pop("40000021")
    assert "has no row" in reasons.pop("49999999")
    assert "occurs twice" in reasons.pop("40000017")
    assert reasons == {}


def test_rare_lines_of_the_release_are_known(tmp_path):
    write_mimic(tmp_path, [[line, "Abnormal ECG"] for line in RARE])
    found = open_cohort("mimic-iv-ecg", tmp_path).index()["statements"].tolist()
    assert len(found) == len(RARE)
    assert load_ontology().unknown_codes("mimic", found) == {}


def test_unknown_lines_are_counted_and_say_nothing(tmp_path):
    write_mimic(tmp_path, [["Sinus rhythm", "Xyz of the zyx", "Abnormal ECG"]])
    store = prepare(open_cohort("mimic-iv-ecg", tmp_path), tmp_path / "cache")
    assert any("xyz of the zyx" in warning for warning in store.warnings)
    assert store.labels.loc[0, "NSR"] == 1


@pytest.mark.parametrize("name", ["record_list.csv", "machine_measurements.csv"])
def test_wrong_tables_are_errors(tmp_path, name):
    folder = write_mimic(tmp_path)
    for content in (b"", b"a,b\n1,2\n", b"\x00\xff\n\x00", b"study_id\n1\n"):
        (folder / name).write_bytes(content)
        with pytest.raises(UsageError, match=name):
            open_cohort("mimic-iv-ecg", tmp_path).index()
    (folder / name).unlink()
    if name == "record_list.csv":
        assert open_cohort("mimic-iv-ecg", tmp_path) is None
    else:
        with pytest.raises(UsageError, match=name):
            open_cohort("mimic-iv-ecg", tmp_path).index()


def test_unusual_tables_are_the_same_release(tmp_path):
    folder = write_mimic(tmp_path)
    rows = open_cohort("mimic-iv-ecg", tmp_path).index()
    for name in ("record_list.csv", "machine_measurements.csv"):
        frame = pd.read_csv(folder / name, dtype=str)
        frame[frame.columns[::-1]].to_csv(
            folder / name, index=False, encoding="utf-8-sig", lineterminator="\r\n"
        )
    pd.testing.assert_frame_equal(open_cohort("mimic-iv-ecg", tmp_path).index(), rows)


def test_bytes_that_are_no_text_are_an_error_that_names_the_table(tmp_path):
    folder = write_mimic(tmp_path)
    table = folder / "machine_measurements.csv"
    table.write_bytes(table.read_bytes().replace(b"Sinus rhythm", b"Sinus \xff\xfehythm"))
    with pytest.raises(UsageError, match=r"machine_measurements\.csv cannot be read as a table"):
        open_cohort("mimic-iv-ecg", tmp_path).index()
