"""DICOM waveforms against what was written and against pydicom's own conversion."""

from __future__ import annotations

import dataclasses
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cohorts.errors import RecordError
from cohorts.formats import dicom
from cohorts.formats.any_file import detect, read_file
from cohorts.recording import MISSING, STANDARD_LEADS, DigitalRecording
from tests.cohorts.formats.binary_files import SCP, channel, code, counted, group, write_dicom

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
}


def written(folder: Path, *groups: Dataset, **options: Any) -> Path:
    write_dicom(folder / "a.dcm", counted(), groups=groups, **options)
    return folder / "a.dcm"


def theirs(path: Path, index: int = 0) -> Any:
    """What pydicom makes of a group: float64 ``[leads, samples]`` in the unit of the file."""
    return pydicom.dcmread(path, force=True).waveform_array(index).T


def with_counts(counts: Any, rate: float = 500.0) -> DigitalRecording:
    return dataclasses.replace(counted(rate=rate), counts=np.asarray(counts))


def test_a_recording_of_a_device_is_what_pydicom_reads(shared: Path) -> None:
    path = shared / "data/vendor/dicom/anonymous_ecg.dcm"
    found = read_file(path)
    assert found.leads == STANDARD_LEADS
    assert found.sampling_rate == 1000
    assert found.counts.shape == (12, 10_000)  # the rhythm; the median beats have 1200 samples
    millivolts = (found.counts - found.baseline[:, None]) / found.gain[:, None]
    np.testing.assert_allclose(millivolts * 1000, theirs(path), rtol=0, atol=1e-9)
    one, two, three = millivolts[:3]
    assert np.abs(two - one - three).max() <= 0.0051  # Einthoven, to the rounding of the device
    assert 0.5 < np.abs(millivolts).max() < 3


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4"])
def test_every_width_and_transfer_syntax(tmp_path: Path, kind: str, syntax: str) -> None:
    uid = SYNTAXES[syntax]
    sent = counted(samples=333)
    sent = dataclasses.replace(sent, counts=np.abs(sent.counts)) if kind[0] == "u" else sent
    path = written(tmp_path, group(sent, f"{'<' if uid.is_little_endian else '>'}{kind}"), syntax=uid)
    assert detect(path) == "dicom"
    found = read_file(path)
    assert np.array_equal(found.counts, sent.counts)
    assert (found.gain == 200).all()
    assert not found.baseline.any()
    if uid.is_little_endian:
        signal = found.to_recording().signal * 1000
        np.testing.assert_allclose(signal, theirs(path), rtol=1e-6)


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big-endian"])
def test_a_file_without_preamble(tmp_path: Path, syntax: str) -> None:
    uid, sent = SYNTAXES[syntax], counted()
    path = written(
        tmp_path, group(sent, "<i2" if uid.is_little_endian else ">i2"), syntax=uid, preamble=False
    )
    assert path.read_bytes()[128:132] != b"DICM"
    assert detect(path) == "dicom"
    assert np.array_equal(read_file(path).counts, sent.counts)


@pytest.mark.parametrize("kind", ["<u2", "<i2", "<i4"])
def test_counts_beyond_16_bits_keep_their_voltages(tmp_path: Path, kind: str) -> None:
    values = np.arange(12 * 500).reshape(12, 500)
    values = {"<u2": values + 40_000, "<i2": values - 32_768, "<i4": values * 3 + 10**6}[kind]
    found = read_file(written(tmp_path, group(with_counts(values), kind)))
    kept = found.counts - found.baseline[:, None]
    assert np.array_equal(kept, values)
    assert found.counts.min() > MISSING


def test_a_span_beyond_16_bits_is_quantised(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-(10**6), 10**6, (12, 500))
    path = written(tmp_path, group(with_counts(values), "<i4"))
    signal = read_file(path).to_recording().signal
    step = 2 * 10**6 / 65_000 / 200
    np.testing.assert_allclose(signal, theirs(path) / 1000, rtol=0, atol=step)


@pytest.mark.parametrize(("unit", "millivolts"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3), ("nV", 1e-6)])
def test_sensitivity_correction_and_baseline(tmp_path: Path, unit: str, millivolts: float) -> None:
    sent = group(counted())
    for number, item in enumerate(sent.ChannelDefinitionSequence):
        item.ChannelSensitivity = f"{4.88 + number:.6g}"
        item.ChannelSensitivityCorrectionFactor = "1.0625"
        item.ChannelBaseline = str(10 * number - 30)
        item.ChannelSensitivityUnitsSequence = code(unit, "UCUM", unit)
    path = written(tmp_path, sent)
    found = read_file(path)
    ours = (found.counts - found.baseline[:, None]) / found.gain[:, None]
    np.testing.assert_allclose(ours, theirs(path) * millivolts, rtol=1e-12, atol=1e-12 * millivolts)


def test_padding_is_missing(tmp_path: Path) -> None:
    sent = counted()
    sent.counts[3, 10:20] = -999
    item = group(sent)
    item.add_new("WaveformPaddingValue", "OW", np.int16(-999).tobytes())
    found = read_file(written(tmp_path, item))
    missing = found.counts == MISSING
    assert missing[3, 10:20].all()
    assert missing.sum() == 10
    assert np.isnan(found.to_recording().signal[missing]).all()


def test_padding_shorter_than_a_sample_is_refused(tmp_path: Path) -> None:
    item = group(counted(), "<i4")
    item.add_new("WaveformPaddingValue", "OW", b"\1\0")
    with pytest.raises(RecordError, match="padding value is shorter"):
        read_file(written(tmp_path, item))


def test_the_rhythm_is_taken_and_never_what_is_derived(tmp_path: Path) -> None:
    strip, rhythm = counted(samples=9000, seed=1, leads=("II",)), counted(samples=5000, seed=2)
    short = counted(samples=1200, seed=3)
    derived = group(counted(samples=8000, seed=4), originality="DERIVED")
    found = read_file(written(tmp_path, group(short), derived, group(strip), group(rhythm)))
    assert np.array_equal(found.counts, rhythm.counts)


def test_channels_that_are_no_leads_are_left_out(tmp_path: Path) -> None:
    sent = group(counted())
    for at, meaning in ((0, "Respiration"), (7, "Lead V3R")):
        sent.ChannelDefinitionSequence[at].ChannelSourceSequence = code("9", "99SECRET", meaning)
        sent.ChannelDefinitionSequence[at].ChannelSensitivityUnitsSequence = code("ohm", "UCUM", "ohm")
    found = read_file(written(tmp_path, sent))
    assert found.leads == tuple(lead for lead in STANDARD_LEADS if lead not in ("I", "V2"))
    assert np.array_equal(found.counts, np.delete(counted().counts, [0, 7], axis=0))


CODES: dict[str, Callable[[str], tuple[str, str, str]]] = {
    "SCP-ECG": lambda lead: (f"5.6.3-9-{SCP[lead]}", "SCPECG", ""),
    "MDC": lambda lead: (f"2:{SCP[lead]}", "MDC", ""),
    "MDC by number": lambda lead: (str(131_328 + SCP[lead]), "MDC", ""),
    "MDC by name": lambda lead: (f"MDC_ECG_LEAD_{lead.upper()}", "MDC", ""),
    "meaning": lambda lead: ("1", "ACCR/CPS", f"Lead {lead} (Einthoven)"),
    "plain meaning": lambda lead: ("", "99X", lead),
    "long meaning": lambda lead: ("", "99X", f"{lead}, augmented voltage, right"),
}


@pytest.mark.parametrize("scheme", CODES)
def test_leads_are_known_by_code_or_by_meaning(tmp_path: Path, scheme: str) -> None:
    sent = counted()
    order = np.random.default_rng(1).permutation(12)
    item = group(sent)
    item.ChannelDefinitionSequence = Items([channel(STANDARD_LEADS[at], 200.0) for at in order])
    for at, definition in zip(order, item.ChannelDefinitionSequence, strict=True):
        definition.ChannelSourceSequence = code(*CODES[scheme](STANDARD_LEADS[at]))
    assert read_file(written(tmp_path, item)).leads == tuple(STANDARD_LEADS[at] for at in order)


@pytest.mark.parametrize(("name", "unit"), [("ChannelSampleSkew", 1.0), ("ChannelTimeSkew", 1 / 500)])
def test_a_skew_between_channels_is_undone(tmp_path: Path, name: str, unit: float) -> None:
    truth = np.random.default_rng(0).integers(-99, 99, 1010)
    delays = [0, 3, -2, 0.4, *[0] * 8]
    sent = group(with_counts([truth[2 + round(delay) : 1002 + round(delay)] for delay in delays]))
    for definition, delay in zip(sent.ChannelDefinitionSequence, delays, strict=True):
        setattr(definition, name, f"{delay * unit:.6g}")
    found = read_file(written(tmp_path, sent)).counts
    seen = found != MISSING
    assert all(len(set(column[kept])) == 1 for column, kept in zip(found.T, seen.T, strict=True))
    assert (~seen).sum(axis=1).tolist() == [2, 5, 0, 2, *[2] * 8]


def test_a_channel_label_names_a_lead_where_nothing_else_does(tmp_path: Path) -> None:
    item = group(counted())
    for definition, lead in zip(item.ChannelDefinitionSequence, STANDARD_LEADS, strict=True):
        del definition.ChannelSourceSequence
        definition.ChannelLabel = lead
    assert read_file(written(tmp_path, item)).leads == STANDARD_LEADS


def first(item: Dataset) -> Dataset:
    found: Dataset = item.ChannelDefinitionSequence[0]
    return found


def drop(*keywords: str) -> Callable[[Dataset], None]:
    def change(item: Dataset) -> None:
        for keyword in keywords:
            delattr(item, keyword)

    return change


def put(keyword: str, value: Any) -> Callable[[Dataset], None]:
    return lambda item: setattr(item, keyword, value)


def in_first(change: Callable[[Dataset], None]) -> Callable[[Dataset], None]:
    return lambda item: change(first(item))


FAULTS: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "no data": (drop("WaveformData"), "damaged"),
    "no rate": (drop("SamplingFrequency"), "damaged"),
    "no samples": (put("NumberOfWaveformSamples", 0), "12 channels of 0 samples"),
    "too many samples": (put("NumberOfWaveformSamples", 2**32 - 1), "12 channels of 4,294,967,295 samples"),
    "fewer samples": (
        put("NumberOfWaveformSamples", 999),
        "24,000 bytes of samples where 23,976 are announced",
    ),
    "cut off": (put("WaveformData", bytes(100)), "100 bytes of samples where 24,000 are announced"),
    "channels": (put("NumberOfWaveformChannels", 11), "announces 11 channels and describes 12"),
    "no definitions": (drop("ChannelDefinitionSequence"), "announces 12 channels and describes 0"),
    "a rate": (put("SamplingFrequency", "0"), "sampling rate is 0 Hz"),
    "derived": (put("WaveformOriginality", "DERIVED"), "only derived ones"),
    "origin unknown": (drop("WaveformOriginality"), "only derived ones"),
    "A-law": (put("WaveformSampleInterpretation", "AB"), "16 bits of 'AB'"),
    "bits": (put("WaveformBitsAllocated", 12), "12 bits of 'SS'"),
    "no sensitivity": (in_first(drop("ChannelSensitivity")), "how many millivolts a count of lead I is"),
    "no unit": (in_first(drop("ChannelSensitivityUnitsSequence")), "how many millivolts a count of lead I"),
    "a unit": (
        in_first(put("ChannelSensitivityUnitsSequence", code("mm[Hg]", "UCUM", ""))),
        "lead I is in 'mm.Hg.', which is no voltage",
    ),
    "nothing": (in_first(put("ChannelSensitivity", "0")), "a count of lead I is 0 mV"),
    "skew": (in_first(put("ChannelSampleSkew", "1000")), "begins after the others have ended"),
    "contradiction": (
        in_first(put("ChannelSourceSequence", code("5.6.3-9-2", "SCPECG", "Lead I (Einthoven)"))),
        "code says lead II and its meaning lead I",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_go_together_is_one_sentence(tmp_path: Path, fault: str) -> None:
    change, why = FAULTS[fault]
    item = group(counted())
    change(item)
    with pytest.raises(RecordError, match=why) as caught:
        read_file(written(tmp_path, item))
    assert "a.dcm" in str(caught.value)


def test_a_damaged_rhythm_is_not_replaced_by_a_shorter_one(tmp_path: Path) -> None:
    damaged = group(counted(samples=5000))
    damaged.WaveformData = bytes(10)
    with pytest.raises(RecordError, match="10 bytes of samples where"):
        read_file(written(tmp_path, group(counted(samples=500)), damaged))


def test_other_objects_are_named_as_such(tmp_path: Path) -> None:
    path = written(tmp_path, group(counted()), kind="1.2.840.10008.5.1.4.1.1.9.4.1")
    with pytest.raises(RecordError, match="another kind"):
        read_file(path)
    with pytest.raises(RecordError, match="holds no waveform"):
        read_file(written(tmp_path))
    item = group(counted(leads=("I",)))
    first(item).ChannelSourceSequence = code("1", "99X", "Pulse")
    with pytest.raises(RecordError, match=r"No channel of 'a\.dcm' is a standard lead"):
        read_file(written(tmp_path, item))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nothing_of_a_patient_is_parsed(tmp_path: Path, syntax: str) -> None:
    uid = SYNTAXES[syntax]
    kind = "<i2" if uid.is_little_endian else ">i2"
    patient = {"PatientName": "Doe^Jane", "PatientID": "4711", "PatientBirthDate": "19500101"}
    path = written(tmp_path, group(counted(), kind), patient=patient, syntax=uid)
    data, _ = dicom._attributes(path)
    assert {element.keyword for element in data} <= {
        "SOPClassUID",
        "WaveformSequence",
        "SpecificCharacterSet",
    }


def test_what_is_deflated_to_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = counted(samples=100_000)
    sent.counts[:] = 0
    path = written(tmp_path, group(sent), syntax=DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(dicom, "MAX_BYTES", 1_000_000)
    with pytest.raises(RecordError, match="cut off or too large"):
        read_file(path)


def test_an_announced_length_is_not_allocated(tmp_path: Path) -> None:
    path = written(tmp_path, group(counted()))
    content = bytearray(path.read_bytes())
    at = content.index(b"\x00\x54\x00\x01SQ") + 8
    content[at : at + 4] = (2**31 - 2).to_bytes(4, "little")
    path.write_bytes(content)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, limits[1]))
    try:
        found = read_file(path)  # the samples are all there, whatever the sequence says of its own length
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert np.array_equal(found.counts, counted().counts)


def test_a_class_that_is_no_text_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path, group(counted()), syntax=ExplicitVRLittleEndian)
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x16\x00UI") + 4
    path.write_bytes(content[:at] + b"UL" + (25).to_bytes(2, "little") + content[at + 4 :])
    with pytest.raises(RecordError, match="damaged"):
        read_file(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_cut_off_anywhere_is_one_sentence(tmp_path: Path, syntax: str) -> None:
    uid = SYNTAXES[syntax]
    whole = written(
        tmp_path, group(counted(samples=50), "<i2" if uid.is_little_endian else ">i2"), syntax=uid
    ).read_bytes()
    path = tmp_path / "cut.dcm"
    for length in [*range(0, len(whole) - 1, 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(RecordError) as caught:
            read_file(path)
        assert str(caught.value).isprintable()
