"""What holds for all XML files of electrocardiographs: round trips, encodings, hostile files."""

from __future__ import annotations

import re
import sys
import tracemalloc
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohorts.errors import UsageError
from cohorts.formats import cardiosoft, hl7_aecg, muse
from cohorts.formats.xml_tree import read_tree
from cohorts.recording import MISSING, STANDARD_LEADS, standard_leads
from tests.cohorts.conftest import ecg_counts
from tests.cohorts.formats.vendor_files import (
    EIGHT,
    PERSON,
    edited,
    recording,
    refused,
    same,
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
ENCODINGS = ("ISO-8859-1", "UTF-8", "UTF-8-sig", "UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "cp1252")

each_format = pytest.mark.parametrize(("reader", "write"), FORMATS.values(), ids=FORMATS)


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
