"""GE MUSE XML: real files against a decoding by hand, the parts of the format, what is refused."""

from __future__ import annotations

import base64
import contextlib
import re
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohorts.errors import RecordError
from cohorts.formats import muse
from cohorts.recording import standard_leads
from tests.cohorts.conftest import ecg_counts
from tests.cohorts.formats.vendor_files import EIGHT, recording, refused, same, write_muse


def muse_file(tmp_path, **unusual):
    return write_muse(tmp_path / "x.xml", recording(ecg_counts(1, 40, leads=2), ("I", "II")), **unusual)


@pytest.mark.parametrize(
    ("base", "exponent", "rate"),
    [("5", "2", 500), ("1", "3", 1000), ("2500", "-1", 250), ("240.0", "0", 240)],
)
def test_a_sample_base_has_an_exponent(base, exponent, rate, tmp_path):
    read = muse.read(muse_file(tmp_path, waveform={"SampleBase": base, "SampleExponent": exponent}))
    assert read.sampling_rate == rate


@pytest.mark.parametrize(
    ("waveform", "saying"),
    [
        ({"SampleBase": "0"}, "sampling rate of 0"),
        ({"SampleBase": "-500"}, "sampling rate of -500"),
        ({"SampleBase": "NaN"}, "no readable SampleBase"),
        ({"SampleBase": ""}, "no readable SampleBase"),
        ({"SampleExponent": "0.5"}, "sampling rate"),
        ({"SampleExponent": "300"}, "sampling rate"),
        ({"WaveformType": "Median"}, "no rhythm"),
        ({"WaveformType": ""}, "no rhythm"),
        ({"SampleType": "PACKED"}, "stores its samples as 'PACKED'"),
    ],
)
def test_a_muse_waveform_that_cannot_be_is_refused(waveform, saying, tmp_path):
    refused(muse, muse_file(tmp_path, waveform=waveform), saying)


@pytest.mark.parametrize(
    ("lead", "saying"),
    [
        ({"LeadAmplitudeUnits": "FURLONGS"}, "no voltage: 'FURLONGS'"),
        ({"LeadAmplitudeUnits": ""}, "no voltage"),
        ({"LeadAmplitudeUnitsPerBit": "-10"}, "-10 units per bit"),
        ({"LeadAmplitudeUnitsPerBit": "0"}, "0 units per bit"),
        ({"LeadAmplitudeUnitsPerBit": "1e40"}, "mV a step"),
        ({"LeadAmplitudeUnitsPerBit": "4,88"}, "no readable LeadAmplitudeUnitsPerBit"),
        ({"LeadByteCountTotal": "82"}, "80 bytes, which is not its LeadByteCountTotal"),
        ({"LeadSampleCountTotal": "41"}, "not its LeadSampleCountTotal"),
        ({"LeadDataCRC32": "12345"}, "do not fit their checksum"),
        ({"LeadSampleSize": "4"}, "other than 2 bytes"),
        ({"FirstSampleBaseline": "3"}, "FirstSampleBaseline"),
        ({"LeadID": ""}, "without a usable name"),
        ({"WaveFormData": "AAA"}, "no complete base64"),
        ({"WaveFormData": "A?AA"}, "no complete base64"),
        ({"WaveFormData": base64.b64encode(b"x\x9cabc").decode()}, "compressed samples are not read"),
    ],
)
def test_a_muse_lead_that_cannot_be_is_refused(lead, saying, tmp_path):
    refused(muse, muse_file(tmp_path, lead=lead), saying)


def test_an_odd_number_of_bytes_is_refused_where_nothing_counts_them(tmp_path):
    data = base64.b64encode(b"12345").decode()
    counts = ("LeadByteCountTotal", "LeadSampleCountTotal", "LeadDataCRC32")
    refused(muse, muse_file(tmp_path, lead={"WaveFormData": data}, without=counts), "odd number")


def test_a_file_of_the_necessary_alone_is_read(tmp_path):
    needless = ("LeadByteCountTotal", "LeadTimeOffset", "LeadOffsetFirstSample", "FirstSampleBaseline")
    needless += (
        "LeadSampleSize",
        "LeadOff",
        "LeadDataCRC32",
        "SampleExponent",
        "SampleType",
        "NumberofLeads",
    )
    same(
        muse.read(muse_file(tmp_path, without=needless)),
        recording(ecg_counts(1, 40, leads=2), ("I", "II")),
    )
    same(muse.read(muse_file(tmp_path, lead={"LeadDataCRC32": "0"})), muse.read(muse_file(tmp_path)))


@pytest.mark.parametrize(
    ("units", "microvolts"),
    [("MICROVOLTS", 1), ("microvolt", 1), ("MILLIVOLTS", 1e3), ("NANOVOLTS", 1e-3), ("uV", 1)],
)
def test_units_are_written_out(units, microvolts, tmp_path):
    read = muse.read(muse_file(tmp_path, lead={"LeadAmplitudeUnits": units}))
    np.testing.assert_allclose(read.gain, 1000 / (5.0 * microvolts))


@pytest.mark.parametrize("samples", [1001, 999])
def test_a_single_waveform_without_type_is_a_rhythm_if_it_is_longer_than_a_beat(samples, tmp_path):
    expected = recording(ecg_counts(1, samples, leads=2), ("I", "II"))
    path = write_muse(tmp_path / "x.xml", expected, waveform={"WaveformType": ""})
    text = path.read_text(encoding="latin-1")
    start, end = text.index("<Waveform>"), text.index("</Waveform>") + len("</Waveform>")
    path.write_text(text[:start] + text[end:], encoding="latin-1")
    if samples > 1000:
        same(muse.read(path), expected)
    else:
        refused(muse, path, "no rhythm")


def test_of_several_rhythms_that_of_most_leads_is_read(tmp_path):
    expected = recording(ecg_counts(1, 40, leads=2), ("I", "II"))
    path = write_muse(tmp_path / "x.xml", expected)
    text = path.read_text(encoding="latin-1")
    rhythm = text[text.index("<Waveform>", text.index("</Waveform>")) : text.rindex("</RestingECG>")]
    one = re.sub(r"(?s)<LeadData>(?:(?!<LeadData>).)*<LeadID>I<.*?</LeadData>", "", rhythm)
    assert one.count("<LeadData>") == 1
    other = rhythm.replace("<SampleBase>500", "<SampleBase>999")
    path.write_text(text.replace(rhythm, one + rhythm + other), encoding="latin-1")
    same(muse.read(path), expected)


def test_a_lead_that_was_off_is_missing(tmp_path):
    path = muse_file(tmp_path)
    whole = path.read_text(encoding="latin-1")
    at = whole.rindex("<LeadOff>")
    path.write_text(whole[:at] + whole[at:].replace("FALSE", "TRUE", 1), encoding="latin-1")
    signal = muse.read(path).to_recording().signal
    assert np.isnan(signal[1]).all()
    assert np.isfinite(signal[0]).all()


def test_a_lead_without_samples_is_not_there(tmp_path):
    path = muse_file(tmp_path)
    text = path.read_text(encoding="latin-1")
    at = text.rindex("<WaveFormData>")
    end = text.index("</WaveFormData>", at)
    path.write_text(text[:at] + "<WaveFormData>" + text[end:], encoding="latin-1")
    assert muse.read(path).leads == ("I",)


def test_a_checksum_may_be_written_with_a_sign(tmp_path):
    expected = recording(ecg_counts(1, 40, leads=1), ("I",))
    checksum = zlib.crc32(expected.counts.astype("<i2").tobytes())
    for written in (checksum, checksum - 2**32):
        same(
            muse.read(write_muse(tmp_path / "x.xml", expected, lead={"LeadDataCRC32": str(written)})),
            expected,
        )


@pytest.mark.parametrize("name", ["LeadTimeOffset", "LeadOffsetFirstSample"])
def test_leads_that_begin_at_different_times_are_refused(name, tmp_path):
    path = muse_file(tmp_path, lead={name: "7"})
    assert muse.read(path).leads == ("I", "II")  # all of them the same
    text = path.read_text(encoding="latin-1")
    at = text.rindex(f"<{name}>7<")
    path.write_text(text[:at] + text[at:].replace(">7<", ">0<", 1), encoding="latin-1")
    refused(muse, path, "begin at the same time")


@pytest.mark.parametrize("name", ["example1.xml", "example2.xml"])
def test_muse_of_a_hospital_agrees_with_a_decoding_by_hand(shared, name):
    path = shared / "data/vendor/muse" / name
    read = muse.read(path)
    text = path.read_text(encoding="latin-1")
    rhythm = text[text.index("<WaveformType>Rhythm<") :]
    names = re.findall(r"<LeadID>(\w+)<", rhythm)
    by_hand = [
        np.frombuffer(base64.b64decode(data), "<i2") for data in re.findall(r"<WaveFormData>([^<]*)<", rhythm)
    ]
    assert read.leads == tuple(names) == EIGHT
    np.testing.assert_array_equal(read.counts, by_hand)
    assert read.counts.shape == (8, 5000)
    assert read.sampling_rate == 500
    np.testing.assert_allclose(read.to_recording().signal, np.array(by_hand) * 0.00488, rtol=1e-6, atol=1e-7)
    # The QRS complexes lie where the file says: there lead II is steep.
    times = [int(time) / 1000 for time in re.findall(r"<Time>(\d+)<", text)]
    steep = np.abs(np.diff(read.counts[1].astype(float)))
    near = [steep[int(at * 500) - 30 : int(at * 500) + 30].max() for at in times]
    assert min(near) > np.quantile(steep, 0.97)
    # R and S of a person, in the twelve leads.
    twelve = standard_leads(read).to_recording().signal
    assert (np.ptp(twelve, axis=1) > 0.3).all()
    assert (np.ptp(twelve, axis=1) < 6).all()


@given(where=st.integers(0, 2**31), value=st.integers(0, 255))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_wrong_byte_never_changes_a_sample_of_muse(where, value, tmp_path):
    path = muse_file(tmp_path)
    whole = path.read_bytes()
    begin = whole.index(b"Rhythm")
    at = begin + where % (len(whole) - begin)
    path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
    with contextlib.suppress(RecordError):
        np.testing.assert_array_equal(muse.read(path).counts, ecg_counts(1, 40, leads=2))
