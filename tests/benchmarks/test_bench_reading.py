"""How fast recordings are read: PTB-XL at 500 Hz, by us and as a user would do it, in turns."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from cohorts.catalogue import find_cohort
from cohorts.formats.wfdb_files import read_record
from cohorts.preparing import prepare
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


@pytest.fixture(scope="module")
def others(
    ptb_xl: Path, headers: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Callable[[], object]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

    names = [str(header.with_suffix("")) for header in headers]
    return {
        "loop of wfdb.rdrecord": lambda: [wfdb.rdrecord(name) for name in names],
        "ecgbench's Dataset": ecgbench_over(headers, ptb_xl, tmp_path_factory.mktemp("ecgbench")),
        "the bytes alone, not decoded": lambda: [
            header.with_suffix(".dat").read_bytes() for header in headers
        ],
    }


@pytest.mark.parametrize(
    ("what", "times"), [("Reading a release", None), ("Preparing a store", 10), ("Reading a store", 20)]
)
def test_reading(
    row: Callable[..., None],
    benchmark: BenchmarkFixture,
    ptb_xl: Path,
    headers: list[Path],
    others: dict[str, Callable[[], object]],
    tmp_path: Path,
    what: str,
    times: int | None,
) -> None:
    caches = itertools.count()
    store = prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path / "store")
    assert len(store) == len(headers)
    ours = {
        "Reading a release": lambda: [read_record(header).to_recording() for header in headers],
        "Preparing a store": lambda: prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path / str(next(caches))),
        "Reading a store": lambda: [store.recording(i) for i in range(len(store))],
    }
    turns = in_turns(benchmark, {"ours": ours[what]} | others, TURNS)
    speed = {name: len(headers) / turns.median(name) for name in turns.times}
    row(
        f"{what}: {len(headers)} records of PTB-XL, 500 Hz, one process",
        speed.pop("ours"),
        "records/s",
        speed,
        at_least=times and times * speed["loop of wfdb.rdrecord"],
    )


def test_opening_a_prepared_store(
    row: Callable[..., None], benchmark: BenchmarkFixture, ptb_xl: Path, tmp_path: Path
) -> None:
    prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)
    calls = {"ours": lambda: prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)}
    row("Opening a store that is prepared", 1e3 * in_turns(benchmark, calls, 9).median("ours"), "ms")
