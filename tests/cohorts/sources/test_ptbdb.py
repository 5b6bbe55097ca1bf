"""PTB Diagnostic, native: reasons for admission and walls, two signal files a record."""

from __future__ import annotations

import numpy as np
import pytest

from cohorts.catalogue import open_cohort
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS, standard_leads
from tests.cohorts.wfdb_releases import LOWER, counts_of, write_ptbdb

REASONS = (
    "Myocardial infarction",
    "Healthy control",
    "n/a",
    "Cardiomyopathy",
    "Bundle branch block",
    "Dysrhythmia",
    "Hypertrophy",
    "Valvular heart disease",
    "Myocarditis",
    "Stable angina",
    "Unstable angina",
    "Palpitation",
    "Heart failure (NYHA 2)",
    "Heart failure (NYHA 3)",
    "Heart failure (NYHA 4)",
)
WALLS = (
    "anterior",
    "antero-septal",
    "antero-lateral",
    "antero-septo-lateral",
    "inferior",
    "infero-latera",
    "infero-lateral",
    "infero-posterior",
    "infero-postero-lateral",
    "infero-poster-lateral",
    "lateral",
    "posterior",
    "postero-lateral",
    "no",
    "unknown",
    "n/a",
)


def comments(reason: str, acute: str = "no", former: str = "no") -> list[str]:
    return [
        f"# Reason for admission: {reason}",
        f"# Acute infarction (localization): {acute}",
        f"# Former infarction (localization): {former}",
    ]


def statements(tmp_path, *cases: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What a release states whose records have these reasons and walls."""
    headers = {f"patient001/s{number:04d}_re": comments(*case) for number, case in enumerate(cases)}
    write_ptbdb(tmp_path, headers)
    return list(open_cohort("ptbdb", tmp_path).index()["statements"])


def test_rows_are_read_as_they_stand(tmp_path):
    write_ptbdb(tmp_path)
    rows = open_cohort("ptbdb", tmp_path).index().set_index("record_id")
    assert list(rows["patient_id"]) == ["patient001", "patient001", "patient104"]
    assert rows.loc["s0010_re", "statements"] == (
        "reason: myocardial infarction",
        "acute: infero",
        "acute: latera",
        "former: no",
    )
    assert rows.loc["s0014lre", "statements"] == ("reason: n/a", "acute: n/a", "former: n/a")
    assert rows.loc["s0010_re", "age"] == 81.0
    assert np.isnan(rows.loc["s0014lre", "age"])
    assert list(rows["sex"]) == ["female", "female", "male"]


def test_twelve_of_fifteen_leads_come_from_the_first_of_two_files(tmp_path):
    write_ptbdb(tmp_path)
    digital = open_cohort("ptbdb", tmp_path).read("s0014lre")
    assert len(digital.leads) == 15
    standard = standard_leads(digital)
    assert standard.leads == STANDARD_LEADS
    np.testing.assert_array_equal(standard.counts, counts_of(1, LOWER))
    recording = standard.to_recording()
    assert recording.sampling_rate == 1000.0
    np.testing.assert_allclose(recording.signal, counts_of(1, LOWER) / 2000, atol=1e-6)


def test_every_reason_and_wall_of_the_release_is_known(tmp_path):
    cases = [(reason,) for reason in REASONS] + [("Myocardial infarction", wall, wall) for wall in WALLS]
    said = statements(tmp_path, *cases)
    assert len(said) == len(REASONS) + len(WALLS)
    assert load_ontology().unknown_codes("ptbdb", said) == {}
    assert load_ontology().unknown_codes("ptbdb", [("reason: headache", "acute: dorsal")]) == {
        "acute: dorsal": 1,
        "reason: headache": 1,
    }


@pytest.mark.parametrize(
    ("reason", "acute", "former", "wanted"),
    [
        ("Myocardial infarction", "infero-latera", "no", {"MI": 1, "IMI": 1, "LMI": 1, "AMI": 0, "PMI": 0}),
        (
            "Myocardial infarction",
            "no",
            "antero-septal",
            {"MI": 1, "AMI": 1, "IMI": 0, "OldMI": 1, "AcMI": -1},
        ),
        ("Myocardial infarction", "infero-poster-lateral", "anterior", {"IMI": 1, "PMI": 1, "AMI": 1}),
        ("Myocardial infarction", "no", "no", {"MI": 1, "AMI": -1, "IMI": -1, "LMI": -1, "PMI": -1}),
        ("Myocardial infarction", "unknown", "n/a", {"MI": 1, "AMI": -1, "PMI": -1}),
        ("Healthy control", "no", "no", {"MI": 0, "AMI": 0, "NORM": -1, "NSR": -1, "AF": -1}),
        ("Dysrhythmia", "no", "no", {"MI": 0, "AF": -1}),
        ("n/a", "n/a", "n/a", {"MI": -1, "AMI": -1, "IMI": -1}),
        ("Bundle branch block", "no", "no", {"BBB_ANY": -1, "MI": 0, "AcMI": 0, "OldMI": 0}),
        ("Cardiomyopathy", "no", "inferior", {"MI": 1, "IMI": 1}),
    ],
)
def test_labels(tmp_path, reason, acute, former, wanted):
    codes = statements(tmp_path, (reason, acute, former))
    labels = load_ontology().labels("ptbdb", "ptbdb", codes).loc[0]
    assert {concept: int(labels[concept]) for concept in wanted} == wanted


def test_records_that_cannot_be_used_are_quarantined(tmp_path):
    folder = write_ptbdb(
        tmp_path,
        {
            "patient001/a": ["# Reason for admission: n/a"],
            "patient001/b": ["# age: 3"],
            "patient002/c": ["# Reason for admission: Palpitation"],
            "patient002/d": ["# Reason for admission: Palpitation"],
            "patient003/a": ["# Reason for admission: Palpitation"],
        },
    )
    (folder / "patient002/c.xyz").unlink()
    (folder / "patient002/d.hea").write_bytes(b"\xff\x00\n")
    store = prepare(open_cohort("ptbdb", tmp_path), tmp_path / "cache")
    reasons = dict(zip(store.quarantine["record_id"], store.quarantine["reason"], strict=True))
    assert list(store.index["record_id"]) == ["a"]
    assert "occurs twice" in reasons["a"]
    assert "no line 'Reason for admission'" in reasons["b"]
    assert "c.xyz" in reasons["c"]
    assert "not a readable WFDB header" in reasons["d"]


def test_signal_files_of_different_length_are_quarantined(tmp_path):
    folder = write_ptbdb(tmp_path)
    for ending in ("xyz", "dat"):
        file = folder / f"patient104/s0306lre.{ending}"
        content = file.read_bytes()
        file.write_bytes(content[:-60])
        store = prepare(open_cohort("ptbdb", tmp_path), tmp_path / "cache")
        assert store.quarantine["record_id"].tolist() == ["s0306lre"]
        file.write_bytes(content)
    assert len(prepare(open_cohort("ptbdb", tmp_path), tmp_path / "cache")) == 3
