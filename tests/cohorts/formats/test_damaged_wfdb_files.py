"""WFDB reading: every kind of damage is a reason, and nothing else."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohorts.errors import RecordError
from cohorts.formats.wfdb_files import read_record
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.formats.headers import edit, signal_header

# pandas 3 deprecates what wfdb does while it writes.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@pytest.fixture
def record(tmp_path, write_record, counts_of):
    """A good record of twelve leads, to be damaged."""
    return write_record(tmp_path / "r.hea", counts_of(1))


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
        ("12 500 500", "999999999999999 500 500", "announces 999,999,999,999,999 signals"),
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


def test_a_header_cannot_name_a_hidden_signal_file(record):
    record.with_suffix(".dat").rename(record.parent / "._r.dat")
    edit(record, ("r.dat", "._r.dat"))
    with pytest.raises(RecordError, match=r"r\.hea names a hidden signal file: '\._r\.dat'"):
        read_record(record)
