"""HL7 annotated ECG: a real file against a decoding by hand, the parts of the format, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cohorts.formats import hl7_aecg
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.conftest import ecg_counts
from tests.cohorts.formats.vendor_files import edited, recording, refused, same, write_hl7_aecg


def aecg_file(tmp_path, **unusual):
    found = recording(ecg_counts(1, 40, leads=2), ("I", "aVR"), offset=35.0)
    return write_hl7_aecg(tmp_path / "x.xml", found, **unusual)


@pytest.mark.parametrize(
    ("unit", "per_millivolt"), [("nV", 1e6), ("uV", 1e3), ("µV", 1e3), ("μV", 1e3), ("mV", 1.0), ("V", 1e-3)]
)
def test_scale_and_origin_have_units(unit, per_millivolt, tmp_path):
    read = hl7_aecg.read(aecg_file(tmp_path, unit=unit, per_millivolt=per_millivolt))
    expected = (35.0 + 5.0 * ecg_counts(1, 40, leads=2)) / 1000
    np.testing.assert_allclose(read.to_recording().signal, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("step", "unit", "rate"),
    [("0.002", "s", 500), ("2", "ms", 500), ("1000", "us", 1000), ("1E3", "µs", 1000), ("4e6", "ns", 250)],
)
def test_an_increment_has_a_unit(step, unit, rate, tmp_path):
    assert hl7_aecg.read(aecg_file(tmp_path, increment=(step, unit))).sampling_rate == rate


@pytest.mark.parametrize(
    ("step", "unit", "saying"),
    [
        ("0", "s", "time increment of 0"),
        ("-0.002", "s", "time increment of -0.002"),
        ("NaN", "s", "no readable time increment"),
        ("", "s", "no readable time increment"),
        ("0.002", "", "no unit of time"),
        ("0.002", "min", "no unit of time"),
        ("1e-300", "s", "sampling rate"),
    ],
)
def test_an_increment_that_cannot_be_is_refused(step, unit, saying, tmp_path):
    refused(hl7_aecg, aecg_file(tmp_path, increment=(step, unit)), saying)


@pytest.mark.parametrize(
    ("codes", "leads"),
    [
        (("MDC_ECG_LEAD_II", "MDC_ECG_LEAD_aVL"), ("II", "aVL")),
        (("mdc_ecg_lead_v1", "MDC_ECG_LEAD_AVF"), ("V1", "aVF")),
        (("1", "62"), ("I", "aVR")),
        (("131074", "131080"), ("II", "V6")),  # partition 2
        (("131133", "131136"), ("III", "aVF")),
        (("MDC_ECG_LEAD_I", "MDC_ECG_LEAD_AVRneg"), ("I", "AVRneg")),  # its sign is another
        (("MDC_ECG_LEAD_I", "MDC_PRESS_BLD"), ("I",)),
        (("MDC_ECG_LEAD_I", "9"), ("I",)),
    ],
)
def test_leads_have_names_or_numbers(codes, leads, tmp_path):
    assert hl7_aecg.read(aecg_file(tmp_path, codes=codes)).leads == leads


@pytest.mark.parametrize("blank", ["\n", "\t", " \r\n   "])
def test_any_blank_stands_between_digits(blank, tmp_path):
    same(hl7_aecg.read(aecg_file(tmp_path, blank=blank)), hl7_aecg.read(aecg_file(tmp_path)))


def test_a_prefix_of_the_namespace_does_not_matter(tmp_path):
    expected = hl7_aecg.read(aecg_file(tmp_path))
    path = aecg_file(tmp_path, prefix="h:")
    assert b"<h:digits>" in path.read_bytes()
    same(hl7_aecg.read(path), expected)
    assert hl7_aecg.recognised(path.read_bytes()[:4096])


def test_derived_beats_are_never_read(tmp_path):
    refused(hl7_aecg, aecg_file(tmp_path, kind="REPRESENTATIVE_BEAT"), "no rhythm series")


def test_of_several_sequence_sets_that_of_most_leads_is_read(tmp_path):
    expected = hl7_aecg.read(aecg_file(tmp_path))
    other = (
        '<component><sequenceSet><component><sequence><code code="TIME_RELATIVE"/><value>'
        '<increment value="1" unit="s"/></value></sequence></component><component><sequence>'
        '<code code="MDC_ECG_LEAD_I"/><value><scale value="1" unit="V"/><digits>1 2</digits></value>'
        "</sequence></component></sequenceSet></component>"
    )
    same(hl7_aecg.read(aecg_file(tmp_path, extra=other)), expected)


def test_digits_beyond_16_bits_and_fractions_are_quantised(tmp_path):
    path = aecg_file(tmp_path)
    digits = re.search(rb"<digits>([^<]*)<", path.read_bytes())[1]
    values = np.array(digits.split(), float)
    values[:4] = [0.5, 70_000.25, -90_000.0, np.nan]
    edited(path, (digits.decode(), " ".join(map(str, values))))
    read = hl7_aecg.read(path)
    expected = (35.0 + 5.0 * values) / 1000
    signal = read.to_recording().signal[0]
    np.testing.assert_allclose(signal, expected, atol=np.ptp(expected[:3]) / 130_000 * 1.01)
    assert np.isnan(signal[3])
    assert read.counts[1].tolist() == ecg_counts(1, 40, leads=2)[1].tolist()  # the other stays as it is


@pytest.mark.parametrize(
    ("old", "new", "saying"),
    [
        ('<scale value="5.0" unit="uV"/>', "", "no scale"),
        ('<scale value="5.0" unit="uV"/>', '<scale value="5.0" unit="mmHg"/>', "no voltage: 'mmHg'"),
        ('<scale value="5.0" unit="uV"/>', '<scale value="5.0"/>', "no voltage"),
        ('<scale value="5.0" unit="uV"/>', '<scale value="0" unit="uV"/>', "0 mV a step"),
        ('<scale value="5.0" unit="uV"/>', '<scale value="inf" unit="uV"/>', "no readable scale"),
        ('<origin value="35.0"', '<origin value="x"', "no readable origin"),
        ("<digits>", "<digits>1 ", "differ in length"),
        ("<digits>", "<digits>1_0 ", "no number in lead"),
        ("<digits>", "<digits>1,0 ", "no number in lead"),
        ("<digits>", "<digits>inf ", "no number in lead"),
        ("<digits>", "<digits>0x10 ", "no number in lead"),
        ("<increment ", "<head ", "how far apart"),
    ],
)
def test_an_annotated_ecg_that_cannot_be_is_refused(old, new, saying, tmp_path):
    path = aecg_file(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    refused(hl7_aecg, path, saying)


def test_an_origin_may_be_missing_or_zero_without_unit(tmp_path):
    path = aecg_file(tmp_path)
    for origin in ("", '<origin value="0"/>'):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"<origin[^>]*>", origin or "<origins/>", text), encoding="utf-8")
        signal = hl7_aecg.read(path).to_recording().signal
        np.testing.assert_allclose(signal, ecg_counts(1, 40, leads=2) / 200, rtol=1e-6)
        path = aecg_file(tmp_path)


@pytest.mark.parametrize(
    ("digit", "stays"), [(32_767, True), (32_768, False), (-32_767, True), (-32_769, False)]
)
def test_a_lead_stays_as_it_is_to_the_last_value_of_16_bits(digit, stays, tmp_path):
    read = hl7_aecg.read(edited(aecg_file(tmp_path), ("<digits>", f"<digits>{digit} ")))
    np.testing.assert_allclose(read.to_recording().signal[:, 0], (35 + 5 * digit) / 1000, atol=2e-3)
    assert (read.counts[:, 0] == digit).all() == stays


def test_samples_of_any_size_are_read_up_to_a_million_volts(tmp_path):
    path = edited(aecg_file(tmp_path), ("<digits>", "<digits>40000000 "))
    np.testing.assert_allclose(hl7_aecg.read(path).to_recording().signal[:, 0], 200_000.035)
    refused(hl7_aecg, edited(path, ("<digits>", "<digits>400000000000 ")), "more than a million volts")


def test_annotated_ecg_agrees_with_a_decoding_by_hand(shared):
    path = shared / "data/vendor/hl7-aecg/example.xml"
    read = hl7_aecg.read(path)
    rhythm = path.read_text().partition("<derivation>")[0]
    names = re.findall(r'code="MDC_ECG_LEAD_(\w+)"', rhythm)
    digits = [np.array(text.split(), int) for text in re.findall(r"<digits>([^<]*)<", rhythm)]
    assert [lead.upper() for lead in read.leads] == names
    assert read.leads == STANDARD_LEADS
    np.testing.assert_array_equal(read.counts, digits)
    np.testing.assert_allclose(read.to_recording().signal, np.array(digits) * 0.005, rtol=1e-6, atol=1e-7)
    low, high = re.findall(r'inclusive="\w+"|value="2025092310(\d{4})" inclusive', rhythm)[:2]
    seconds = (int(high[:2]) - int(low[:2])) * 60 + int(high[2:]) - int(low[2:])
    assert read.counts.shape[1] / read.sampling_rate == seconds == 10
