"""WFDB reading: header variants, agreement with wfdb on every real record, and every kind of damage."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb
from wfdb.io.header import HeaderSyntaxError

from cohorts.errors import RecordError
from cohorts.formats.wfdb_files import read_record
from cohorts.formats.wfdb_header import comment_fields, read_header
from cohorts.recording import MISSING, STANDARD_LEADS
from tests.cohorts.formats.headers import edit, signal_header

# pandas 3 deprecates what wfdb does while it writes.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@pytest.fixture
def record(tmp_path, write_record, counts_of):
    """A good record of twelve leads, to be damaged."""
    return write_record(tmp_path / "r.hea", counts_of(1))


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
