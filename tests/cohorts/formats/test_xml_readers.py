"""MUSE, HL7 aECG and CardioSoft: real files against a decoding by hand, round trips, what is refused."""

from __future__ import annotations

import base64
import contextlib
import re
import sys
import tracemalloc
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohorts.errors import RecordError, UsageError
from cohorts.formats import cardiosoft, hl7_aecg, muse
from cohorts.formats.xml_tree import read_tree
from cohorts.recording import MISSING, STANDARD_LEADS, standard_leads
from tests.cohorts.conftest import ecg_counts
from tests.cohorts.formats.vendor_files import (
    PERSON,
    recording,
    write_cardiosoft,
    write_hl7_aecg,
    write_muse,
)
from tests.fuzzing import Target, damaged, survives

FORMATS = {
    "muse": (muse, write_muse),
    "hl7-aecg": (hl7_aecg, write_hl7_aecg),
    "cardiosoft": (cardiosoft, write_cardiosoft),
}
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
ENCODINGS = ("ISO-8859-1", "UTF-8", "UTF-8-sig", "UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "cp1252")

each_format = pytest.mark.parametrize(("reader", "write"), FORMATS.values(), ids=FORMATS)


def same(read, expected):
    assert read.leads == expected.leads
    assert read.sampling_rate == expected.sampling_rate
    np.testing.assert_array_equal(read.counts, expected.counts)
    np.testing.assert_allclose(read.gain, expected.gain, rtol=1e-12)
    np.testing.assert_allclose(read.baseline, expected.baseline, rtol=1e-12, atol=1e-9)


def edited(path, *replacements):
    text = path.read_bytes()
    for old, new in replacements:
        assert old.encode() in text
        text = text.replace(old.encode(), new.encode())
    path.write_bytes(text)
    return path


def refused(reader, path, saying):
    with pytest.raises(RecordError, match=saying) as caught:
        reader.read(path)
    said = str(caught.value)
    assert said.isprintable()
    assert said.endswith(".")
    assert len(said) < 300
    assert "Rosenkohl" not in said


# Real files.


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


def test_cardiosoft_agrees_with_a_decoding_by_hand_and_with_its_own_measurements(shared):
    path = shared / "data/vendor/cardiosoft/dummy_ecg.xml"
    read = cardiosoft.read(path)
    root = ET.parse(path).getroot()
    strip = root.find("StripData")
    by_hand = [np.array(lead.text.split(","), int) for lead in strip.iter("WaveformData")]
    assert read.leads == STANDARD_LEADS
    np.testing.assert_array_equal(read.counts, by_hand)
    assert read.counts.shape == (12, 5000)
    assert read.sampling_rate == 500
    first, second, third, right, left, foot = read.to_recording().signal[:6]
    # Einthoven and Goldberger in the file's own leads, to a few steps of 5 µV where they are steep.
    assert np.abs(first + third - second).max() < 0.021
    assert np.abs(right + (first + second) / 2).max() < 0.021
    assert np.abs(left - (first - third) / 2).max() < 0.021
    assert np.abs(foot - (second + third) / 2).max() < 0.021
    # The amplitudes that the electrocardiograph measured are those of the strip.
    table = root.find("RestingECGMeasurements/MeasurementTable")
    measured = [float(text or 0) / 1000 for text in re.split(r",\s*", table.findtext("RAmplitude").strip())]
    highest = read.to_recording().signal.max(axis=1)
    tall = np.array(measured) > 0.4
    assert tall.sum() == 6
    np.testing.assert_allclose(highest[tall], np.array(measured)[tall], atol=0.12)
    beats = root.findall("StripData/ArrhythmiaResults/Time")
    steep = np.abs(np.diff(read.counts[0].astype(float)))
    at = [int(float(time.text) / 2) for time in beats]
    assert min(steep[max(0, sample - 50) : sample + 50].max() for sample in at) > 25


def test_each_format_recognises_its_own_files_only(shared):
    for folder in ("muse", "hl7-aecg", "cardiosoft", "philips", "dicom"):
        for file in (shared / "data/vendor" / folder).iterdir():
            head = file.read_bytes()[:4096]
            assert [name for name, (reader, _) in FORMATS.items() if reader.recognised(head)] == [
                folder for _ in range(folder in FORMATS)
            ]


# Round trips.


@each_format
@given(
    seed=st.integers(0, 99), samples=st.integers(9, 700), step=st.sampled_from([0.5, 2.5, 4.88, 5.0, 10.0])
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(reader, write, seed, samples, step, tmp_path):
    counts = np.random.default_rng(seed).integers(-32767, 32600, (12, samples))
    expected = recording(counts, microvolts=step)
    same(reader.read(write(tmp_path / "x.xml", expected)), expected)


@each_format
@pytest.mark.parametrize("rate", [100.0, 240.0, 250.0, 500.0, 977.0, 1000.0])
def test_the_rate_is_that_of_the_rhythm(reader, write, rate, tmp_path):
    expected = recording(ecg_counts(1, 30), rate=rate)
    assert reader.read(write(tmp_path / "x.xml", expected)).sampling_rate == rate


@each_format
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_is_read_and_recognised(reader, write, encoding, tmp_path):
    expected = recording(ecg_counts(2, 40))
    path = write(tmp_path / "x.xml", expected, encoding=encoding)
    same(reader.read(path), expected)
    for length in (4096, 4095):  # cut within a character
        assert reader.recognised(path.read_bytes()[:length])
    others = [other for other, _ in FORMATS.values() if other is not reader]
    assert not any(other.recognised(path.read_bytes()[:4096]) for other in others)


@each_format
@pytest.mark.parametrize("declared", ["UTF-8", "UTF-16", "EUC-KR", "gb2312", "klingon", "ASCII"])
def test_a_wrong_declaration_does_not_matter(reader, write, declared, tmp_path):
    expected = recording(ecg_counts(3, 40))
    path = write(tmp_path / "x.xml", expected, encoding="ISO-8859-1")
    edited(path, ('encoding="ISO-8859-1"', f'encoding="{declared}"'))
    same(reader.read(path), expected)


@each_format
def test_a_name_in_a_korean_encoding_does_not_matter(reader, write, tmp_path):
    expected = recording(ecg_counts(3, 40))
    path = write(tmp_path / "x.xml", expected, encoding="UTF-8")
    path.write_bytes(path.read_text(encoding="utf-8").replace(PERSON, "홍길동").encode("cp949"))
    same(reader.read(path), expected)


@each_format
def test_leads_have_any_number_and_order(reader, write, tmp_path):
    leads = ("V6", "V3R", "aVF", "II", "V9", "I", "V4R", "aVR", "X")
    expected = recording(ecg_counts(4, 50, leads=9), leads)
    same(reader.read(write(tmp_path / "x.xml", expected)), expected)


@each_format
def test_eight_leads_become_twelve_by_einthoven_and_goldberger(reader, write, tmp_path):
    twelve = recording(ecg_counts(5, 200))
    rows = [STANDARD_LEADS.index(lead) for lead in EIGHT]
    stored = recording(twelve.counts[rows], EIGHT)
    read = standard_leads(reader.read(write(tmp_path / "x.xml", stored)))
    np.testing.assert_allclose(read.to_recording().signal, twelve.to_recording().signal, atol=1e-5)


@each_format
def test_the_lowest_count_is_a_missing_sample(reader, write, tmp_path):
    counts = ecg_counts(6, 30)
    counts[2, 7] = MISSING
    signal = reader.read(write(tmp_path / "x.xml", recording(counts))).to_recording().signal
    assert np.argwhere(np.isnan(signal)).tolist() == [[2, 7]]


@each_format
def test_nothing_of_the_person_enters_the_tree(reader, write, tmp_path, monkeypatch):
    path = write(tmp_path / "x.xml", recording(ecg_counts(7, 30)))
    kept = []

    def watched(*arguments):
        kept.append(read_tree(*arguments))
        return kept[-1]

    monkeypatch.setattr(reader, "read_tree", watched)
    reader.read(path)
    assert "Rosenkohl" in path.read_text(encoding="latin-1")
    assert "Rosenkohl" not in ET.tostring(kept[0], encoding="unicode")


# What is refused.


@each_format
@pytest.mark.parametrize(
    ("content", "saying"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "not well-formed"),
        (b"<a>", "another root element"),
        (b"<html><body>sign in</body></html>", "another root element"),
        (b"<a>" * 100_000, "another root element"),
    ],
)
def test_what_is_no_such_file_is_refused(reader, write, content, saying, tmp_path):
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    assert not reader.recognised(content[:4096])
    refused(reader, path, saying)


BOMB = (
    '<!DOCTYPE {root} [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{10 * f"&{a};"}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


@each_format
@pytest.mark.parametrize(
    ("doctype", "reference"),
    [
        (BOMB, "&j;"),
        ('<!DOCTYPE {root} [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        ('<!DOCTYPE {root} [<!ENTITY % x SYSTEM "http://localhost:9/x.dtd"> %x;]>', ""),
        ('<!DOCTYPE {root} [<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "y" NDATA n>]>', ""),
    ],
    ids=["bomb", "file", "parameter", "unparsed"],
)
def test_entities_are_refused(reader, write, doctype, reference, tmp_path):
    path = write(tmp_path / "x.xml", recording(ecg_counts(8, 30)), encoding="UTF-8")
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<\?.*?\?>|<!.*?>", "", text).lstrip()
    root = re.match(r"<(\w+)", text)[1]
    path.write_text(doctype.replace("{root}", root) + text.replace(PERSON, reference), encoding="utf-8")
    assert reader.recognised(path.read_bytes()[:4096])
    refused(reader, path, "declares entities or external references")


@each_format
def test_what_a_document_includes_is_not_fetched(reader, write, tmp_path):
    expected = recording(ecg_counts(8, 30))
    path = write(tmp_path / "x.xml", expected, encoding="UTF-8")
    (tmp_path / "secret").write_text("Rosenkohl")
    edited(path, (PERSON, '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="secret"/>'))
    same(reader.read(path), expected)


def test_samples_may_be_character_data(tmp_path):
    expected = recording(ecg_counts(9, 30_000, leads=2), ("I", "II"))
    path = write_hl7_aecg(tmp_path / "x.xml", expected)
    same(
        hl7_aecg.read(edited(path, ("<digits>", "<digits><![CDATA["), ("</digits>", "]]></digits>"))),
        expected,
    )
    path = write_muse(tmp_path / "x.xml", expected)
    edited(path, ("<WaveFormData>", "<WaveFormData><![CDATA["), ("</WaveFormData>", "]]></WaveFormData>"))
    same(muse.read(path), expected)


@each_format
def test_depth_size_and_number_of_elements_are_bounded(reader, write, tmp_path, monkeypatch):
    path = write(tmp_path / "x.xml", recording(ecg_counts(9, 30)), encoding="UTF-8")
    whole = path.read_bytes()
    for hostile in ("<a>" * 100_000, "<a/>" * 100_001, "<component>" * 100_000):  # kept or not
        path.write_bytes(whole.replace(PERSON.encode(), hostile.encode()))
        refused(reader, path, "elements, or nests them deeper")
    attributes = " ".join(f"a{at}=''" for at in range(9_999))
    for hostile in (f"<a b='{'x' * 70_000}'/>", f"<a {attributes}/>", f"<!--{'x' * 70_000}-->"):
        path.write_bytes(whole.replace(PERSON.encode(), hostile.encode()))
        refused(reader, path, "tag or comment of more than 64 KiB")
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # a hole, not a disk of zeros
    tracemalloc.start()
    refused(reader, path, "more than 32 MiB")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@each_format
def test_a_file_cut_anywhere_is_refused(reader, write, tmp_path):
    path = write(tmp_path / "x.xml", recording(ecg_counts(10, 30)))
    whole = path.read_bytes()
    for length in range(60, len(whole) - 20, len(whole) // 40):
        path.write_bytes(whole[:length])
        refused(reader, path, "not well-formed")


@each_format
def test_leads_must_agree(reader, write, tmp_path):
    expected = recording(ecg_counts(11, 30, leads=2), ("I", "II"))
    refused(reader, write(tmp_path / "x.xml", recording(expected.counts, ("I", "lead I"))), "lead I 2 times")
    refused(
        reader,
        write(tmp_path / "x.xml", recording(expected.counts, ("I", "\u00e4"))),
        "without a usable name",
    )
    for rate in (0.5, 200_000.0):
        refused(
            reader,
            write(tmp_path / "x.xml", recording(expected.counts, ("I", "II"), rate=rate)),
            "sampling rate",
        )
    many = recording(np.ones((257, 9)), [f"E{at}" for at in range(257)])
    refused(reader, write(tmp_path / "x.xml", many), "257 leads")
    none = recording(np.empty((2, 0)), ("I", "II"))
    refused(reader, write(tmp_path / "x.xml", none), "no lead|0 samples")


def test_without_its_library_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    path = write_muse(tmp_path / "x.xml", recording(ecg_counts(1, 30)))
    monkeypatch.setitem(sys.modules, "defusedxml", None)
    with pytest.raises(UsageError, match=r"pip install 'leadboard\[formats\]'"):
        muse.read(path)
    assert muse.recognised(path.read_bytes()[:4096])


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused_in_one_line(name, data, tmp_path):
    reader, write = FORMATS[name]
    expected = recording(ecg_counts(12, 20, leads=3), ("I", "II", "V1"))
    path = write(tmp_path / "x.xml", expected)
    target = Target(path, path.read_bytes(), lambda: reader.read(path))
    survives(target, data.draw(damaged(target.valid)))


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


# MUSE.


def muse_file(tmp_path, **unusual):
    return write_muse(tmp_path / "x.xml", recording(ecg_counts(1, 40, leads=2), ("I", "II")), **unusual)


def test_a_sample_base_has_an_exponent(tmp_path):
    read = muse.read(muse_file(tmp_path, waveform={"SampleBase": "5", "SampleExponent": "2"}))
    assert read.sampling_rate == 500
    read = muse.read(muse_file(tmp_path, waveform={"SampleBase": "2500", "SampleExponent": "-1"}))
    assert read.sampling_rate == 250


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


@pytest.mark.parametrize("name", ["LeadTimeOffset", "LeadOffsetFirstSample"])
def test_leads_that_begin_at_different_times_are_refused(name, tmp_path):
    path = muse_file(tmp_path, lead={name: "7"})
    assert muse.read(path).leads == ("I", "II")  # all of them the same
    text = path.read_text(encoding="latin-1")
    at = text.rindex(f"<{name}>7<")
    path.write_text(text[:at] + text[at:].replace(">7<", ">0<", 1), encoding="latin-1")
    refused(muse, path, "begin at the same time")


# HL7 aECG.


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


# CardioSoft.


def cardiosoft_file(tmp_path, **unusual):
    return write_cardiosoft(
        tmp_path / "x.xml", recording(ecg_counts(1, 600, leads=2), ("I", "AVR")), **unusual
    )


@pytest.mark.parametrize("separator", [",", ";", " ", ", "])
def test_any_separator_stands_between_samples(separator, tmp_path):
    same(
        cardiosoft.read(cardiosoft_file(tmp_path, separator=separator)),
        recording(ecg_counts(1, 600, leads=2), ("I", "aVR")),
    )


@pytest.mark.parametrize(
    ("units", "resolution", "microvolts"),
    [
        ("uVperLsb", "5", 5),
        ("uVperLSB", "4.88", 4.88),
        ("uV/LSB", "1", 1),
        ("mV per lsb", "0.005", 5),
        ("nVperLsb", "5000", 5),
    ],
)
def test_a_resolution_has_a_unit(units, resolution, microvolts, tmp_path):
    read = cardiosoft.read(cardiosoft_file(tmp_path, units=units, strip={"Resolution": resolution}))
    np.testing.assert_allclose(read.gain, 1000 / microvolts)


@pytest.mark.parametrize(
    ("unusual", "saying"),
    [
        ({"units": "uV"}, "resolution in 'uV'"),
        ({"units": "mmHgperLsb"}, "no voltage"),
        ({"strip": {"Resolution": "0"}}, "resolution of 0"),
        ({"strip": {"Resolution": "-5"}}, "resolution of -0.005"),
        ({"strip": {"Resolution": "2,5"}}, "no readable Resolution"),
        ({"without": ["Resolution"]}, "resolution in ''"),
        ({"strip": {"SampleRate": "0"}}, "sampling rate of 0"),
        ({"strip": {"SampleRate": "NaN"}}, "no readable SampleRate"),
        ({"without": ["SampleRate"]}, "no readable SampleRate"),
        ({"strip": {"ChannelSampleCountTotal": "601"}}, "600 samples where 601 are announced"),
        ({"separator": ",,"}, "leaves out samples"),
        ({"separator": "_"}, "no number"),
    ],
)
def test_a_strip_that_cannot_be_is_refused(unusual, saying, tmp_path):
    refused(cardiosoft, cardiosoft_file(tmp_path, **unusual), saying)


def test_a_rate_in_another_unit_is_refused(tmp_path):
    path = edited(cardiosoft_file(tmp_path), ('<SampleRate units="Hz">', '<SampleRate units="ms">'))
    refused(cardiosoft, path, "sampling rate in 'ms'")


def test_a_strip_may_not_count_its_samples(tmp_path):
    read = cardiosoft.read(cardiosoft_file(tmp_path, without=["ChannelSampleCountTotal"]))
    assert read.counts.shape == (2, 600)


def test_an_exercise_test_is_refused(tmp_path):
    path = edited(
        cardiosoft_file(tmp_path),
        ("<StripData>", "<StripData><Strip>"),
        ("</StripData>", "</Strip></StripData>"),
    )
    refused(cardiosoft, path, "exercise test")


def test_full_disclosure_is_not_taken_for_the_strip(tmp_path):
    path = cardiosoft_file(tmp_path)
    disclosure = "<FullDisclosure><WaveformData lead='I'>1,2</WaveformData></FullDisclosure><StripData>"
    same(
        cardiosoft.read(edited(path, ("<StripData>", disclosure))), cardiosoft.read(cardiosoft_file(tmp_path))
    )
    path = edited(cardiosoft_file(tmp_path), ("StripData>", "FullDisclosure>"))
    refused(cardiosoft, path, "no strip")
