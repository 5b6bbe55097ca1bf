"""Arrays and tables of samples: the same recordings in every layout, and what is stated wrongly."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from cohorts.errors import UsageError
from cohorts.preparing import prepare
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.own_hospital import COLUMNS, HEAD, beats, known, table, write, write_array_description

ECGS = 4
LEADS = list(STANDARD_LEADS)
SIGNALS = beats(ECGS)  # whole microvolts [records, leads, samples]


def described(folder: Path, signals: str, form: str, array: str, rows: pd.DataFrame | None = None) -> Path:
    text = HEAD + f'signals = "{signals}"\nformat = "{form}"\n' + array + COLUMNS
    return write(folder, table(ECGS) if rows is None else rows, text)


def millivolts(file: Path, cache: Path) -> np.ndarray:
    """Signals of the store, ``[records, leads, samples]``, in the order of the ids."""
    with known(file) as cohort, prepare(cohort, cache) as store:
        assert store.quarantine.empty, store.quarantine["reason"].tolist()
        assert set(store.rates) == {500.0}
        return np.stack([store.recording(at).signal for at in range(len(store))])


def write_npy(folder: Path) -> Path:
    np.save(folder / "ecgs.npy", SIGNALS.transpose(0, 2, 1))
    axes = ["records", "samples", "leads"]
    return described(folder, "ecgs.npy", "npy", write_array_description(axes, "uV"))


def write_npy_volts(folder: Path) -> Path:
    np.save(folder / "ecgs.npy", np.asfortranarray((SIGNALS / 1e6).transpose(2, 1, 0)))
    axes = ["samples", "leads", "records"]
    return described(folder, "ecgs.npy", "npy", write_array_description(axes, "V"))


def write_npz(folder: Path) -> Path:
    np.savez_compressed(folder / "ecgs.npz", other=np.zeros(3), x=(SIGNALS / 1e3).astype(np.float32))
    axes = ["records", "leads", "samples"]
    return described(folder, "ecgs.npz", "npy", write_array_description(axes, "mV", dataset="x"))


def write_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "ecgs.h5", "w") as file:
        file["a/tracings"] = (SIGNALS / 1e3).astype(np.float32)
    axes = ["records", "leads", "samples"]
    return described(folder, "ecgs.h5", "hdf5", write_array_description(axes, "mV", dataset="a/tracings"))


def write_npy_files(folder: Path) -> Path:
    for number, signal in enumerate(SIGNALS, start=1):
        np.save(folder / f"{number:03d}.npy", signal.T.astype(np.float64) / 1e3)
    rows = table(ECGS).assign(file=[f"{number:03d}" for number in range(1, ECGS + 1)])
    array = write_array_description(["samples", "leads"], "mV")
    return described(folder, "{file}.npy", "npy", array, rows)


def write_csv_files(folder: Path) -> Path:
    for number, signal in enumerate(SIGNALS, start=1):
        frame = pd.DataFrame(signal.T, columns=LEADS).iloc[:, ::-1]
        frame.insert(0, "time", np.arange(len(frame)) / 500)
        frame.to_csv(folder / f"{number:03d}.csv", index=False, sep=";" if number == 2 else ",")
    rows = table(ECGS).assign(file=[f"{number:03d}.csv" for number in range(1, ECGS + 1)])
    return described(folder, "{file}", "csv", write_array_description([], "uV"), rows)


def write_parquet_files(folder: Path) -> Path:
    for number, signal in enumerate(SIGNALS, start=1):
        pd.DataFrame(signal.T / 1e3, columns=LEADS).to_parquet(folder / f"{number:03d}.parquet")
    rows = table(ECGS).assign(file=[f"{number:03d}.parquet" for number in range(1, ECGS + 1)])
    return described(folder, "{file}", "parquet", write_array_description([], "mV"), rows)


def write_parquet(folder: Path) -> Path:
    columns = {lead: pa.array(list(SIGNALS[:, at].astype(np.float32))) for at, lead in enumerate(LEADS)}
    pyarrow.parquet.write_table(pa.table(columns), folder / "ecgs.parquet", row_group_size=3)
    return described(folder, "ecgs.parquet", "parquet", write_array_description([], "uV"))


WRITERS = [
    *(write_npy, write_npy_volts, write_npz, write_hdf5, write_npy_files),
    *(write_csv_files, write_parquet_files, write_parquet),
]


@pytest.mark.parametrize("writer", WRITERS)
def test_the_same_signals_in_every_layout(tmp_path, writer):
    folder = tmp_path / "hospital"
    folder.mkdir()
    found = millivolts(writer(folder), tmp_path / "cache")
    np.testing.assert_array_equal(found, (SIGNALS / np.float32(1000)).astype(np.float32))


def test_rows_in_another_order_than_the_table(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS[[2, 0, 3, 1]])
    array = write_array_description(["records", "leads", "samples"], "uV", row="at")
    rows = table(ECGS).assign(at=["1", "3", "0", "2"])
    found = millivolts(described(tmp_path, "ecgs.npy", "npy", array, rows), tmp_path / "cache")
    np.testing.assert_array_equal(found, (SIGNALS / np.float32(1000)).astype(np.float32))


@pytest.mark.parametrize(
    ("at", "reason"), [("4", "no recording 4: there are 4"), ("-1", "no whole number"), ("", "empty part")]
)
def test_a_row_that_the_array_does_not_have(tmp_path, at, reason):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "leads", "samples"], "uV", row="at")
    file = described(tmp_path, "ecgs.npy", "npy", array, table(ECGS).assign(at=["0", "1", "2", at]))
    with known(file) as cohort, prepare(cohort, tmp_path / "cache") as store:
        assert store.quarantine["record_id"].tolist() == ["E004"]
        assert reason in store.quarantine["reason"][0]


def test_a_row_that_is_named_twice_is_refused(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "leads", "samples"], "uV", row="at")
    file = described(tmp_path, "ecgs.npy", "npy", array, table(ECGS).assign(at=["0", "1", "1", "2"]))
    with known(file) as cohort, pytest.raises(UsageError, match="1 row has a position that another row has"):
        cohort.index()


def test_a_column_of_rates(tmp_path):
    for number, signal in enumerate(SIGNALS, start=1):
        np.save(tmp_path / f"{number}.npy", signal)
    rows = table(ECGS).assign(file=["1", "2", "3", "4"], hz=["500", "250.5", "", "fast"])
    array = write_array_description(["leads", "samples"], "uV", rate="hz")
    with (
        known(described(tmp_path, "{file}.npy", "npy", array, rows)) as cohort,
        prepare(cohort, tmp_path / "cache") as store,
    ):
        assert store.rates.tolist() == [500, 250.5]
        assert store.quarantine["reason"].tolist() == ["Its sampling rate in column 'hz' is none."] * 2


def test_fewer_or_more_rows_than_recordings_are_refused(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "leads", "samples"], "uV")
    for rows in (3, 5):
        with (
            known(described(tmp_path, "ecgs.npy", "npy", array, table(rows))) as cohort,
            pytest.raises(UsageError, match=rf"has 4 recordings and .* {rows} rows; name the column"),
        ):
            prepare(cohort, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.h5"))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("mV", 'With unit = "mV" the median lead of the first 4 ECGs would be 964 mV high; as uV 0.964 mV'),
        ("mV", 'mV: is unit = "uV" meant?'),
        ("V", 'is unit = "uV" meant?'),
    ],
)
def test_a_wrong_unit_is_refused_with_the_one_that_is_meant(tmp_path, unit, said):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "leads", "samples"], unit)
    with known(described(tmp_path, "ecgs.npy", "npy", array)) as cohort, pytest.raises(UsageError) as caught:
        prepare(cohort, tmp_path / "cache")
    assert said in str(caught.value)
    assert "as uV 1" in str(caught.value) or "as uV 0.9" in str(caught.value)


def test_a_unit_that_is_too_large_and_one_that_is_none(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS / 1000)
    array = write_array_description(["records", "leads", "samples"], "uV")
    with (
        known(described(tmp_path, "ecgs.npy", "npy", array)) as cohort,
        pytest.raises(UsageError, match='is unit = "mV" meant'),
    ):
        prepare(cohort, tmp_path / "cache")
    np.save(tmp_path / "ecgs.npy", SIGNALS * 1000.0)
    with (
        known(described(tmp_path, "ecgs.npy", "npy", array)) as cohort,
        pytest.raises(UsageError, match="in none of mV, uV, V would it be that of an ECG"),
    ):
        prepare(cohort, tmp_path / "cache")


def test_wrong_axes_are_refused_with_those_that_are_meant(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "samples", "leads"], "uV")
    with known(described(tmp_path, "ecgs.npy", "npy", array)) as cohort, pytest.raises(UsageError) as caught:
        prepare(cohort, tmp_path / "cache")
    said = str(caught.value)
    assert "4 x 12 x 1000: with axes = records, samples, leads it has 12 samples of 1,000 leads" in said
    assert 'is axes = ["records", "leads", "samples"] meant?' in said


def test_wrong_axes_of_single_files_put_each_into_quarantine(tmp_path):
    for number, signal in enumerate(SIGNALS, start=1):
        np.save(tmp_path / f"{number}.npy", signal)
    rows = table(ECGS).assign(file=["1", "2", "3", "4"])
    array = write_array_description(["samples", "leads"], "uV")
    with (
        known(described(tmp_path, "{file}.npy", "npy", array, rows)) as cohort,
        prepare(cohort, tmp_path / "cache") as store,
    ):
        assert len(store) == 0
        assert store.quarantine["reason"].str.contains("12 samples of 1,000 leads").all()
        assert (
            store.quarantine["reason"].str.contains('is axes = ["leads", "samples"] meant', regex=False).all()
        )


def test_a_rate_at_which_an_ecg_lasts_no_second_is_refused(tmp_path):
    np.save(tmp_path / "ecgs.npy", SIGNALS)
    array = write_array_description(["records", "leads", "samples"], "uV", rate=1001)
    with (
        known(described(tmp_path, "ecgs.npy", "npy", array)) as cohort,
        prepare(cohort, tmp_path / "cache") as store,
    ):
        assert store.quarantine["reason"].str.contains("0.999 s at 1001 Hz").all()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"no array", b"PK\x03\x04"])
@pytest.mark.parametrize(
    ("name", "form"), [("x.npy", "npy"), ("x.npz", "npy"), ("x.h5", "hdf5"), ("x.parquet", "parquet")]
)
def test_a_damaged_file_of_all_is_told(tmp_path, name, form, content):
    (tmp_path / name).write_bytes(content)
    axes = [] if form == "parquet" else ["records", "leads", "samples"]
    array = write_array_description(axes, "uV", **({"dataset": "x"} if form != "parquet" else {}))
    with (
        known(described(tmp_path, name, form, array)) as cohort,
        pytest.raises(UsageError, match="cannot be read as the array of all recordings"),
    ):
        prepare(cohort, tmp_path / "cache")


def test_objects_and_texts_are_no_signals(tmp_path):
    array = write_array_description(["leads", "samples"], "uV")
    rows = table(ECGS).assign(file=["1", "2", "3", "4"])
    np.save(tmp_path / "1.npy", np.array([[{"a": 1}]], dtype=object))
    np.save(tmp_path / "2.npy", np.array([["a"] * 1000] * 12))
    np.save(tmp_path / "3.npy", SIGNALS[0].astype(complex))
    np.save(tmp_path / "4.npy", SIGNALS)
    with (
        known(described(tmp_path, "{file}.npy", "npy", array, rows)) as cohort,
        prepare(cohort, tmp_path / "cache") as store,
    ):
        assert len(store) == 0
        assert len(store.quarantine) == ECGS


def test_a_csv_without_a_lead_or_with_text_is_quarantined(tmp_path):
    file = write_csv_files(tmp_path)
    frame = pd.read_csv(tmp_path / "001.csv")
    frame.drop(columns="V1").to_csv(tmp_path / "001.csv", index=False)
    frame = pd.read_csv(tmp_path / "003.csv").astype("object")
    frame.loc[5, "V1"] = "Mustermann"
    frame.to_csv(tmp_path / "003.csv", index=False)
    with known(file) as cohort, prepare(cohort, tmp_path / "cache") as store:
        reasons = dict(zip(store.quarantine["record_id"], store.quarantine["reason"], strict=True))
        assert set(reasons) == {"E001", "E003"}
        assert "no column 'V1'" in reasons["E001"]
        assert "Mustermann" not in reasons["E003"]


def test_missing_samples_stay_missing(tmp_path):
    signals = SIGNALS.astype(np.float32) / 1000
    signals[1, 3, 10:20] = np.nan
    np.save(tmp_path / "ecgs.npy", signals)
    array = write_array_description(["records", "leads", "samples"], "mV")
    found = millivolts(described(tmp_path, "ecgs.npy", "npy", array), tmp_path / "cache")
    assert np.isnan(found[1, 3, 10:20]).all()
    assert np.isnan(found).sum() == 10


@pytest.mark.parametrize(
    ("form", "signals", "array", "said"),
    [
        (
            "npy",
            "ecgs.npy",
            write_array_description(["leads", "samples"], "mV"),
            "array.axes names the order",
        ),
        ("npy", "{file}", write_array_description(["records", "leads", "samples"], "mV"), "array.axes names"),
        ("npy", "{file}", write_array_description([], "mV"), "array.axes names the order"),
        ("hdf5", "{file}", write_array_description(["leads", "samples"], "mV"), "array.dataset names"),
        ("csv", "{file}", write_array_description(["leads", "samples"], "mV"), "are not for csv"),
        ("csv", "all.csv", write_array_description([], "mV"), "a CSV holds one recording"),
        (
            "npy",
            "{file}",
            write_array_description(["leads", "samples"], "mV", row="at"),
            "array.row is for one",
        ),
        ("npy", "{file}", write_array_description(["leads", "samples"], "mV", rate=0), "array.rate"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path, form, signals, array, said):
    with pytest.raises(UsageError) as caught, known(described(tmp_path, signals, form, array)):
        pass
    assert said in str(caught.value)
