"""EDF and BDF files against what was written and against pyedflib's own millivolts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyedflib
import pytest

from cohorts.errors import RecordError
from cohorts.formats.any_file import detect, read_file
from cohorts.formats.edf import lead_of
from cohorts.recording import MISSING, STANDARD_LEADS
from tests.cohorts.formats.binary_files import counted, write_edf

KINDS = [
    pyedflib.FILETYPE_EDF,
    pyedflib.FILETYPE_EDFPLUS,
    pyedflib.FILETYPE_BDF,
    pyedflib.FILETYPE_BDFPLUS,
]


def limits(path: Path, at: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Least and most of the twelve leads, ``[leads, 2]``, straight from the header."""
    content = path.read_bytes()
    channels = int(content[252:256])
    starts = [256 + channels * at + step * 8 * channels for step in (0, 1)]
    return np.array([[float(content[s + 8 * row :][:8]) for s in starts] for row in range(12)])


@pytest.mark.parametrize("unit", ["uV", "mV"])
@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_those_of_the_file(tmp_path: Path, kind: int, unit: str) -> None:
    sent, path = counted(), tmp_path / "a.edf"
    sent = dataclasses.replace(sent, gain=np.linspace(100, 1000, 12), baseline=np.arange(12.0))
    plus = kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS)
    write_edf(path, sent, {"PatientName": "Doe"}, unit=unit, kind=kind, annotation="pain" if plus else "")
    assert detect(path) == "edf"
    found = read_file(path)
    assert found.leads == STANDARD_LEADS
    assert found.sampling_rate == 500
    assert np.array_equal(found.counts, sent.counts)
    np.testing.assert_allclose(found.gain, sent.gain, rtol=2e-5)  # limits have eight characters in the file
    physical, digital = limits(path, 104), limits(path, 120)
    per_mv = {"uV": 1e3, "mV": 1.0}[unit]
    np.testing.assert_allclose(found.gain, np.diff(digital)[:, 0] / np.diff(physical)[:, 0] * per_mv)
    with pyedflib.EdfReader(str(path)) as theirs:
        expected = np.stack([theirs.readSignal(row) for row in range(12)])
    expected *= {"uV": 1e-3, "mV": 1.0}[unit]
    ours = (found.counts - found.baseline[:, None]) / found.gain[:, None]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


def test_all_sixteen_bits_are_used(tmp_path: Path) -> None:
    sent, path = counted(), tmp_path / "a.edf"
    sent.counts[0] = np.linspace(-32767, 32767, 1000)
    sent.counts[1] = np.linspace(-32768, 0, 1000)
    write_edf(path, sent)
    found = read_file(path)
    assert np.array_equal(found.counts - found.baseline[:, None], sent.counts.astype(np.int64) + 0.0)
    assert found.counts.min() > MISSING
    sent.counts[0] = np.linspace(-32768, 32767, 1000)
    write_edf(path, sent)
    signal = read_file(path).to_recording().signal
    np.testing.assert_allclose(signal, sent.counts / 200, rtol=0, atol=0.51 / 200)


def test_other_channels_are_left_out_and_may_have_other_rates(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    labels = [f"EKG {lead}-Ref" if lead == "aVR" else lead for lead in STANDARD_LEADS]
    write_edf(path, counted(), labels=labels, others={"Resp": 10.0, "SpO2": 1.0})
    found = read_file(path)
    assert found.leads == STANDARD_LEADS
    assert np.array_equal(found.counts, counted().counts)


@pytest.mark.parametrize(
    ("label", "lead"),
    [
        ("ECG I", "I"), ("EKG II", "II"), ("III", "III"), ("ECG aVR-Ref", "aVR"), ("ekg  v1", "V1"),
        ("Lead V6", "V6"), ("ECG Lead aVF", "aVF"), ("ECG", None), ("ECG II-aVF", None), ("ECG -aVR", None),
        ("EEG V1", None), ("EDF Annotations", None), ("ECG V7", None), ("EKG", None), ("", None),
    ],
)  # fmt: skip
def test_names_of_channels(label: str, lead: str | None) -> None:
    assert lead_of(label) == lead


def put(at: int, text: str) -> dict[int, bytes]:
    return {at: text.encode()}


# Of the twelve channels and the annotations, 13 x 16 bytes of labels begin at byte 256.
FAULTS = {
    "interrupted": (put(192, "EDF+D"), "interrupted"),
    "records": (put(236, "3       "), "a header that announces"),
    "no number": (put(236, "two     "), "a header that is damaged"),
    "unit": (put(256 + 13 * 96, "mmHg    "), "lead I in a unit that is not"),
    "nothing": (put(256 + 13 * 104, "0       "), "damaged|range of nothing"),
    "twice": (put(256 + 16, "ECG I           "), "lead I twice"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_go_together_is_one_sentence(tmp_path: Path, fault: str) -> None:
    changes, why = FAULTS[fault]
    path = tmp_path / "a.edf"
    write_edf(path, counted(), unit="mV")
    content = bytearray(path.read_bytes())
    for at, new in changes.items():
        content[at : at + len(new)] = new
    if fault == "nothing":
        content[256 + 13 * 112 : 256 + 13 * 112 + 8] = b"0       "
    path.write_bytes(content)
    with pytest.raises(RecordError, match=why) as caught:
        read_file(path)
    assert "a.edf" in str(caught.value)


def test_leads_of_different_rates_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    with pyedflib.EdfWriter(str(path), 2) as writer:
        for row, rate in enumerate((500, 250)):
            header = {"label": f"ECG {'I' * (row + 1)}", "dimension": "mV", "sample_frequency": rate}
            limits = {"physical_min": -5, "physical_max": 5, "digital_min": -32768, "digital_max": 32767}
            writer.setSignalHeader(row, {**header, **limits, "transducer": "", "prefilter": ""})
        writer.writeSamples([np.zeros(1000, np.int32), np.zeros(500, np.int32)], digital=True)
    with pytest.raises(RecordError, match="lead I at 500 Hz and lead II at 250 Hz"):
        read_file(path)


def test_no_channel_of_that_name(tmp_path: Path) -> None:
    write_edf(tmp_path / "a.edf", counted(leads=("I",)), labels=["EEG Fz"])
    with pytest.raises(RecordError, match=r"No channel of 'a\.edf' is called after a standard lead"):
        read_file(tmp_path / "a.edf")


def test_a_file_cut_off_anywhere_is_one_sentence_and_left_closed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_edf(tmp_path / "a.edf", counted(samples=500))
    whole, path = (tmp_path / "a.edf").read_bytes(), tmp_path / "cut.edf"
    opened = len(list(Path("/proc/self/fd").iterdir()))
    for length in [*range(0, len(whole) - 1, 101), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(RecordError) as caught:
            read_file(path)
        assert str(caught.value).isprintable()
    assert len(list(Path("/proc/self/fd").iterdir())) == opened
    assert capfd.readouterr() == ("", "")
