"""WFDB reading: header variants, agreement with wfdb on every real record, and every kind of damage."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wfdb.io.header import HeaderSyntaxError

from cohorts.errors import RecordError
from cohorts.formats.wfdb_files import read_record
from cohorts.formats.wfdb_header import comment_fields, read_header
from cohorts.recording import MISSING, STANDARD_LEADS

# pandas 3 deprecates what wfdb does while it writes.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@pytest.fixture
def record(tmp_path, write_record, counts_of):
    """A good record of twelve leads, to be damaged."""
    return write_record(tmp_path / "r.hea", counts_of(1))


def edit(header, *replacements):
    text = header.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    header.write_text(text)


def signal_header(tmp_path, line, samples=4, channels=1):
    """A record of one signal line; its counts are 0, 1, 2, ..."""
    header = tmp_path / "s.hea"
    header.write_text(f"s {channels} 500 {samples}\n{line}\n")
    np.arange(samples * channels, dtype="<i2").tofile(tmp_path / "s.dat")
    return header


# --- the real records -------------------------------------------------------------------------------


def test_every_real_record_is_read_and_agrees_with_wfdb(shared):
    headers = sorted((shared / "data").rglob("*.hea"))
    assert len(headers) == 1120
    refused = []
    for header in headers:
        ours = read_record(header)
        try:
            theirs = wfdb.rdrecord(str(header)[:-4], physical=False)
        except HeaderSyntaxError:
            refused.append(header)
            continue
        np.testing.assert_array_equal(ours.counts, theirs.d_signal.T)
        np.testing.assert_array_equal(ours.gain, theirs.adc_gain)
        np.testing.assert_array_equal(ours.baseline, theirs.baseline)
        assert ours.sampling_rate == theirs.fs
        assert ours.leads == tuple(theirs.sig_name)
    # wfdb refuses a record line that names a file; so do these Georgia headers of an early release.
    assert len(refused) == 29
    assert all(header.read_text().split()[0] == f"{header.stem}.mat" for header in refused)


def test_records_that_wfdb_refuses_agree_with_it_once_their_record_line_is_mended(shared, tmp_path):
    refused = [
        header
        for header in sorted((shared / "data" / "challenge-2021").rglob("*.hea"))
        if header.read_text().split()[0].endswith(".mat")
    ]
    assert refused
    for header in refused:
        mended = tmp_path / header.name
        mended.write_text(header.read_text().replace(".mat 12 ", " 12 ", 1))
        (tmp_path / f"{header.stem}.mat").write_bytes(header.with_suffix(".mat").read_bytes())
        theirs = wfdb.rdrecord(str(mended)[:-4])
        recording = read_record(header).to_recording()
        np.testing.assert_allclose(recording.signal, theirs.p_signal.T, rtol=1e-6, atol=1e-7)


def test_known_samples_in_millivolts(shared):
    data = shared / "data"
    first = read_record(data / "ptb-xl/records500/00000/00001_hr.hea").to_recording()
    np.testing.assert_allclose(first.signal[:2, 0], [-0.115, -0.050], atol=1e-7)
    # Early copies of Georgia declare 4880/mV: a reader honours the header in front of it.
    early = data / "challenge-2021/training/georgia/g1/E00015.hea"
    digital = read_record(early)
    assert set(digital.gain) == {4880.0}
    np.testing.assert_allclose(digital.to_recording().signal[0], digital.counts[0] / 4880, rtol=1e-6)
    # LUDB has a gain and a baseline for each lead.
    ludb = read_record(data / "ludb/data/1.hea")
    np.testing.assert_allclose(ludb.to_recording().signal[0, 0], (-120 - 6) / 1716, rtol=1e-6)


# --- header variants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "gain", "baseline"),
    [
        ("1000/mV", 1000.0, 0.0),
        ("1000.0(0)/mV", 1000.0, 0.0),
        ("200/mv", 200.0, 0.0),
        ("4880/mV", 4880.0, 0.0),
        ("1716(6)/mV", 1716.0, 6.0),
        ("1206(-2)/mV", 1206.0, -2.0),
        ("1000", 1000.0, 0.0),
        ("0", 200.0, 0.0),
        ("0/mV", 200.0, 0.0),
        ("0(7)/mV", 200.0, 7.0),
        ("1e3/mV", 1000.0, 0.0),
        ("-500/mV", -500.0, 0.0),
        ("1/uV", 1000.0, 0.0),
        ("0.5/µV", 500.0, 0.0),
        ("200000/V", 200.0, 0.0),
    ],
)
def test_gain_baseline_and_unit(tmp_path, field, gain, baseline):
    digital = read_record(signal_header(tmp_path, f"s.dat 16 {field} 16 0 0 6 0 I"))
    assert digital.gain[0] == pytest.approx(gain)
    assert digital.baseline[0] == baseline
    np.testing.assert_allclose(
        digital.to_recording().signal[0], (np.arange(4) - baseline) / gain, rtol=1e-6, atol=1e-9
    )


def test_the_baseline_defaults_to_the_adc_zero(tmp_path):
    assert read_record(signal_header(tmp_path, "s.dat 16 100/mV 16 2 0 6 0 I")).baseline[0] == 2.0


def test_a_one_byte_micro_sign_is_understood(tmp_path):
    header = signal_header(tmp_path, "s.dat 16 1/uV 16 0 0 6 0 I")
    header.write_bytes(header.read_bytes().replace(b"uV", b"\xb5V"))
    assert read_record(header).gain[0] == 1000.0


def test_the_shortest_legal_header_has_wfdbs_defaults(tmp_path):
    (tmp_path / "s.hea").write_text("s 1\ns.dat 16\n")
    np.arange(5, dtype="<i2").tofile(tmp_path / "s.dat")
    digital = read_record(tmp_path / "s.hea")
    theirs = wfdb.rdrecord(str(tmp_path / "s"), physical=False)
    assert (digital.sampling_rate, digital.gain[0], digital.baseline[0]) == (250.0, 200.0, 0.0)
    np.testing.assert_array_equal(digital.counts[0], theirs.d_signal[:, 0])


@pytest.mark.parametrize("form", ["16", "16+24", "16x1+24", "16x1", "16:0+24"])
def test_format_variants(tmp_path, write_record, counts_of, form):
    counts = counts_of(2, 50)
    digital = read_record(write_record(tmp_path / "r.hea", counts, form=form, extension="mat"))
    np.testing.assert_array_equal(digital.counts, counts)
    assert digital.counts.flags.c_contiguous


def test_crlf_bom_blank_lines_and_tabs_change_nothing(record, counts_of):
    text = record.read_text().replace(" 16 0 ", "\t16  0 ")
    record.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n\r\n").encode())
    np.testing.assert_array_equal(read_record(record).counts, counts_of(1))


def test_several_signal_files(tmp_path, counts_of):
    counts = counts_of(3, 40)
    counts[:8].T.tofile(tmp_path / "a.dat")
    counts[8:].T.tofile(tmp_path / "b.dat")
    lines = [
        f"{'a' if row < 8 else 'b'}.dat 16 1000 16 0 0 0 0 {lead}" for row, lead in enumerate(STANDARD_LEADS)
    ]
    (tmp_path / "r.hea").write_text("\n".join(["r 12 500 40", *lines]))
    np.testing.assert_array_equal(read_record(tmp_path / "r.hea").counts, counts)
    (tmp_path / "r.hea").write_text("\n".join(["r 12 500 40", lines[8], *lines[:8], *lines[9:]]))
    with pytest.raises(RecordError, match="signals of each file together"):
        read_record(tmp_path / "r.hea")


def test_lead_names_may_have_blanks_and_may_be_absent(tmp_path):
    assert read_record(signal_header(tmp_path, "s.dat 16 1000 16 0 0 6 0 lead  aVR")).leads == ("lead  aVR",)
    assert read_record(signal_header(tmp_path, "s.dat 16 1000 16 0 0 6 0")).leads == ("",)


def test_a_channel_that_is_no_voltage_is_left_out_but_a_lead_must_be_one(tmp_path):
    header = tmp_path / "s.hea"
    header.write_text("s 2 500 2\ns.dat 16 1000/mV 16 0 0 2 0 V1\ns.dat 16 10/mmHg 16 0 1 4 0 ABP\n")
    np.arange(4, dtype="<i2").tofile(tmp_path / "s.dat")
    digital = read_record(header)
    assert digital.leads == ("V1",)
    np.testing.assert_array_equal(digital.counts, [[0, 2]])
    edit(header, ("ABP", "V2"))
    with pytest.raises(RecordError, match="V2 is in 'mmHg'"):
        read_record(header)


def test_missing_samples_are_marked(tmp_path, write_record, counts_of):
    counts = counts_of(4, 30)
    counts[3, 5:9] = MISSING
    signal = read_record(write_record(tmp_path / "r.hea", counts)).to_recording().signal
    assert np.isnan(signal[3, 5:9]).all()
    assert np.isnan(signal).sum() == 4


def test_comments_become_fields():
    fields = comment_fields(
        ["Age: 56", " Dx : 1,2 ", "<sex>: F", "no field", "Dx: 2,3", "Dx: 2,3", "Note: a: b", "Rx:"]
    )
    assert fields == {"age": "56", "dx": "1,2,2,3", "sex": "F", "note": "a: b", "rx": ""}


# --- other formats go to wfdb ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["212", "80", "24", "32", "516"])
def test_other_formats_are_read_with_wfdb(tmp_path, form):
    signal = np.cumsum(np.random.default_rng(0).normal(size=(300, 3)), axis=0) * 0.01
    signal[7:9, 1] = np.nan
    wfdb.wrsamp(
        "r",
        fs=500,
        units=["mV", "uV", "mV"],
        sig_name=["I", "II", "V1"],
        p_signal=signal,
        fmt=[form] * 3,
        write_dir=str(tmp_path),
    )
    recording = read_record(tmp_path / "r.hea").to_recording()
    expected = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T * [[1.0], [1e-3], [1.0]]
    np.testing.assert_allclose(recording.signal, expected, atol=5e-5, equal_nan=True)
    assert recording.leads == ("I", "II", "V1")


def test_a_damaged_record_of_another_format_is_a_record_error(tmp_path):
    wfdb.wrsamp(
        "r",
        fs=500,
        units=["mV"] * 2,
        sig_name=["I", "II"],
        p_signal=np.arange(600.0).reshape(300, 2),
        fmt=["212"] * 2,
        write_dir=str(tmp_path),
    )
    whole = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(whole[:200])
    with pytest.raises(RecordError, match=r"r\.hea cannot be read with wfdb"):
        read_record(tmp_path / "r.hea")
    # wfdb spreads a single frame over the whole record without a word; the checksum tells.
    (tmp_path / "r.dat").write_bytes(whole[:3])
    with pytest.raises(RecordError, match="checksum"):
        read_record(tmp_path / "r.hea")


def test_segments_are_joined_and_a_record_that_contains_itself_is_refused(tmp_path, write_record, counts_of):
    counts = counts_of(5, 60)
    write_record(tmp_path / "a.hea", counts)
    (tmp_path / "r.hea").write_text("r/2 12 500 120\na 60\na 60\n")
    joined = read_record(tmp_path / "r.hea").to_recording().signal
    np.testing.assert_allclose(joined, np.hstack([counts, counts]) / 1000, atol=1e-6)
    (tmp_path / "r.hea").write_text("r/1 12 500 120\nr 120\n")
    with pytest.raises(RecordError, match="cannot be read with wfdb"):
        read_record(tmp_path / "r.hea")


# --- damage ---------------------------------------------------------------------------------------------


def test_a_missing_header_and_a_missing_signal_file(record):
    (record.parent / "r.dat").unlink()
    with pytest.raises(RecordError, match=r"'r\.dat' cannot be read: No such file"):
        read_record(record)
    with pytest.raises(RecordError, match=r"'x\.hea' cannot be read: No such file"):
        read_record(record.with_name("x.hea"))


@pytest.mark.parametrize("size", [0, 1, 5999, 11_998, 12_001, 24_000])
def test_a_signal_file_of_another_length_than_announced(record, size):
    file = record.with_suffix(".dat")
    file.write_bytes((file.read_bytes() * 2)[:size])
    with pytest.raises(RecordError, match=rf"r\.dat has {size:,} bytes where its header announces 12,000"):
        read_record(record)


@pytest.mark.parametrize("lead", [0, 11])
def test_a_wrong_checksum_names_its_lead(record, lead):
    file = record.with_suffix(".dat")
    samples = np.fromfile(file, "<i2")
    samples[lead + 12 * 100] += 1
    samples.tofile(file)
    with pytest.raises(RecordError, match=f"lead '{STANDARD_LEADS[lead]}' do not fit their checksum"):
        read_record(record)


def test_checksums_may_be_signed_absent_or_placeholders(tmp_path):
    line = "s.dat 16 1000 16 0 0"
    for checksum in ("65530", "-6", "0"):
        header = signal_header(tmp_path, f"{line} {checksum} 0 I")
        (-np.arange(4, dtype="<i2")).tofile(tmp_path / "s.dat")
        np.testing.assert_array_equal(read_record(header).counts, [[0, -1, -2, -3]])
    assert read_record(signal_header(tmp_path, "s.dat 16 1000")).counts.shape == (1, 4)
    # One zero among other checksums is a checksum.
    header = tmp_path / "s.hea"
    header.write_text("s 2 500 2\ns.dat 16 1000 16 0 0 2 0 I\ns.dat 16 1000 16 0 0 0 0 II\n")
    with pytest.raises(RecordError, match="lead 'II'"):
        read_record(header)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("12 500 500", "12 500 1000000000000", "announces 12 signals of 1,000,000,000,000 samples"),
        ("12 500 500", "12 500 99999999999999999999999", "number of samples"),
        ("12 500 500", "12 500 -5", "number of samples is -5"),
        ("12 500 500", "12 500 5e2", "number of samples is '5e2'"),
        ("12 500 500", "12 0 500", "sampling rate is 0 Hz"),
        ("12 500 500", "12 nan 500", "sampling rate is 'nan'"),
        ("12 500 500", "12 1e400 500", "sampling rate is inf Hz"),
        ("12 500 500", "13 500 500", "announces 13 signals and describes 12"),
        ("12 500 500", "999999999999999 500 500", "announces 999999999999999 signals"),
        ("12 500 500", "twelve 500 500", "record line"),
        ("1000/mV", "nan/mV", "gain of lead 'I' is 'nan/mV'"),
        ("1000/mV", "inf/mV", "gain of lead 'I' is 'inf/mV'"),
        ("1000/mV", "1e300/mV", "gain of lead 'I'"),
        ("1000/mV", "1e-300/mV", "gain of lead 'I'"),
        ("1000/mV", "1000(1e5)/mV", "gain of lead 'I'"),
        ("1000/mV", "1000/mmHg", "lead I is in 'mmHg'"),
        ("r.dat 16 ", "r.dat sixteen ", "signal format is 'sixteen'"),
        ("r.dat 16 ", "r.dat 16+999 ", "bytes where its header announces"),
    ],
)
def test_headers_that_make_no_sense(record, old, new, message):
    edit(record, (old, new))
    with pytest.raises(RecordError, match=message.replace("(", r"\(").replace("+", r"\+")) as caught:
        read_record(record)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"# only\n", b"\x00" * 50, b"\xff\xfe\x00r", b"r\n", b"r 0 500 1\n"]
)
def test_headers_that_are_none(record, content):
    record.write_bytes(content)
    with pytest.raises(RecordError, match=r"^r\.hea is "):
        read_record(record)


def test_an_endless_header_is_not_read(record):
    record.write_bytes(b"r 12 500 500\n" * 100_000)
    with pytest.raises(RecordError, match="too large"):
        read_record(record)


@pytest.mark.parametrize("name", ["../secret.dat", "/etc/passwd", "..", "sub/r.dat", "..\\r.dat", "r\0.dat"])
def test_a_header_cannot_name_files_outside_its_folder(record, name):
    np.zeros(6000, "<i2").tofile(record.parent.parent / "secret.dat")
    edit(record, ("r.dat", name))
    with pytest.raises(RecordError, match="outside its folder"):
        read_record(record)


def test_a_folder_or_pipe_is_not_a_signal_file(record):
    record.with_suffix(".dat").unlink()
    os.mkfifo(record.with_suffix(".dat"))
    with pytest.raises(RecordError, match="is not a file"):
        read_record(record)


def test_a_record_without_samples(tmp_path):
    (tmp_path / "s.hea").write_text("s 1 500\ns.dat 16\n")
    (tmp_path / "s.dat").write_bytes(b"")
    with pytest.raises(RecordError, match="holds no samples"):
        read_record(tmp_path / "s.hea")


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mangled_header_is_read_or_refused_and_nothing_else(record, data):
    good = record.read_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 12)))
    junk = data.draw(
        st.one_of(st.binary(max_size=6), st.sampled_from([b"-1", b"1e9", b"(", b"/", b"x0", b":9", b" "]))
    )
    mangled = record.with_name("mangled.hea")
    mangled.write_bytes(good[:start] + junk + good[end:])
    with contextlib.suppress(RecordError):
        digital = read_record(mangled)
        assert digital.counts.dtype == np.int16
        assert not np.isinf(digital.to_recording().signal).any()


def test_read_header_gives_comments_without_the_signals(tmp_path):
    (tmp_path / "r.hea").write_text("r 1 500 4\nr.dat 16 1000\n#Age: 5\n# Dx: 1\n")
    header = read_header(tmp_path / "r.hea")
    assert header.comments == ("Age: 5", "Dx: 1")
    assert header.samples == 4


# Signs at which `str.splitlines` splits and a file has no end of line: 0x85 is an ellipsis in older files.
NO_ENDS = [b"\x85", *(sign.encode() for sign in "\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e")]


def two_lines(header, sign):
    """Put another comment into a header, with a sign in its middle that ends no line."""
    header.write_bytes(header.read_bytes().replace(b"#Age", b"#a first" + sign + b"and a second\n#Age"))
    comments = read_header(header).comments
    assert (len(comments), comments[1]) == (2, "Age: 41")
    assert comments[0].startswith("a first")
    assert comments[0].endswith("and a second")


@pytest.mark.parametrize("sign", NO_ENDS)
def test_only_the_end_of_a_line_ends_a_comment(tmp_path, write_record, counts_of, sign):
    header = write_record(tmp_path / "r.hea", counts_of(1), comments=["Age: 41"])
    expected = read_record(header).counts
    two_lines(header, sign)
    np.testing.assert_array_equal(read_record(header).counts, expected)


@pytest.mark.parametrize("sign", NO_ENDS[:4])  # at the others, which ASCII has, wfdb splits
def test_the_same_holds_for_what_is_read_with_wfdb(tmp_path, counts_of, sign):
    names = {"units": ["mV"] * 2, "sig_name": ["I", "II"], "fmt": ["212"] * 2, "write_dir": str(tmp_path)}
    wfdb.wrsamp("r", fs=500, p_signal=counts_of(1).T[:, :2] / 1000, comments=["Age: 41"], **names)
    header = tmp_path / "r.hea"
    header.write_text(header.read_text().replace("# Age", "#Age"))
    expected = read_record(header).counts
    two_lines(header, sign)
    np.testing.assert_array_equal(read_record(header).counts, expected)


def test_all_three_ends_of_lines_are_known(record):
    expected = read_record(record).counts
    for end in (b"\r\n", b"\r"):
        record.write_bytes(record.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", end))
        np.testing.assert_array_equal(read_record(record).counts, expected)


def test_a_header_cannot_name_a_hidden_signal_file(record):
    record.with_suffix(".dat").rename(record.parent / "._r.dat")
    edit(record, ("r.dat", "._r.dat"))
    with pytest.raises(RecordError, match=r"r\.hea names a hidden signal file: '\._r\.dat'"):
        read_record(record)
