"""How fast recordings are read: PTB-XL at 500 Hz, by us and as a user would do it, in turns."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cohorts.catalogue import find_cohort
from cohorts.formats.wfdb_files import read_record
from cohorts.store import prepare
from tests.benchmarks.measuring import in_turns

TURNS = 3


@pytest.fixture(scope="module")
def ptb_xl(shared: Path) -> Path:
    return shared / "data" / "ptb-xl"


@pytest.fixture(scope="module")
def headers(ptb_xl: Path) -> list[Path]:
    return [ptb_xl / path for path in find_cohort("ptb-xl")(ptb_xl).index()["path"]]


def ecgbench_over(headers: list[Path], root: Path, folder: Path) -> Callable[[], object]:
    """A pass over ecgbench's Dataset of these records, which asks for a table of folds."""
    dataset = pytest.importorskip("ecgbench.dataset").ECGDataset
    table = pd.read_csv(root / "ptbxl_database.csv")
    here = {str(header.relative_to(root).with_suffix("")) for header in headers}
    table = table[table["filename_hr"].isin(here)]
    table = table.assign(default_split="test", fold=table["strat_fold"])
    (folder / "original").mkdir()
    for entry in root.iterdir():
        (folder / entry.name).symlink_to(entry.resolve())
    columns = ["ecg_id", "patient_id", "filename_lr", "filename_hr", "default_split", "fold"]
    table[columns].to_csv(folder / "original" / "folds.csv", index=False)
    records = dataset(
        "ptbxl", "test", "original", data_path=folder, sampling_rate=500, metadata_source="local"
    )
    assert len(records) == len(headers)
    return lambda: [records[i]["signal"] for i in range(len(records))]


def test_reading(row: Callable[..., None], ptb_xl: Path, headers: list[Path], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

    names = [str(header.with_suffix("")) for header in headers]
    files = [header.with_suffix(".dat") for header in headers]
    (tmp_path / "ecgbench").mkdir()
    caches = itertools.count()
    store = prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path / "store")
    turns = in_turns(
        {
            "reading": lambda: [read_record(header).to_recording() for header in headers],
            "preparing": lambda: prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path / str(next(caches))),
            "a prepared store": lambda: [store.recording(i) for i in range(len(store))],
            "wfdb.rdrecord": lambda: [wfdb.rdrecord(name) for name in names],
            "ecgbench": ecgbench_over(headers, ptb_xl, tmp_path / "ecgbench"),
            "raw": lambda: [file.read_bytes() for file in files],
        },
        TURNS,
    )
    assert len(store) == len(headers)
    speed = {name: len(headers) / turns.median(name) for name in turns.times}
    others = {
        "loop of wfdb.rdrecord": speed["wfdb.rdrecord"],
        "ecgbench's Dataset": speed["ecgbench"],
        "the bytes alone, not decoded": speed["raw"],
    }
    loop = speed["wfdb.rdrecord"]
    size = f"{len(headers)} records of PTB-XL, 500 Hz, one process"
    row(f"Reading a release: {size}", speed["reading"], "records/s", others)
    row(f"Preparing a store: {size}", speed["preparing"], "records/s", others, at_least=10 * loop)
    row(f"Reading a store: {size}", speed["a prepared store"], "records/s", others, at_least=20 * loop)


def test_opening_a_prepared_store(row: Callable[..., None], ptb_xl: Path, tmp_path: Path) -> None:
    prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)
    turns = in_turns({"opening": lambda: prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)}, 9)
    row("Opening a store that is prepared", 1e3 * turns.median("opening"), "ms")
