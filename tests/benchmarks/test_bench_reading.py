"""How fast recordings are read (``pytest tests/benchmarks/test_bench_reading.py --benchmark-enable``).

Targets against a loop of ``wfdb.rdrecord`` over the same PTB-XL records at 500 Hz: preparing at least 10
times, streaming a prepared store at least 20 times its speed, in one process.
"""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import pytest

from cohorts.catalogue import find_cohort
from cohorts.formats.wfdb_files import read_record
from cohorts.resampling import resample
from cohorts.store import prepare


@pytest.fixture(scope="module")
def ptb_xl(shared: Path) -> Path:
    return shared / "data" / "ptb-xl"


@pytest.fixture(scope="module")
def headers(ptb_xl: Path) -> list[Path]:
    return [ptb_xl / path for path in find_cohort("ptb-xl")(ptb_xl).index()["path"]]


def test_wfdb_rdrecord(benchmark, headers):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb

    names = [str(header.with_suffix("")) for header in headers]
    benchmark.pedantic(lambda: [wfdb.rdrecord(name) for name in names], rounds=3, warmup_rounds=1)


def test_read_record(benchmark, headers):
    benchmark.pedantic(
        lambda: [read_record(header).to_recording() for header in headers], rounds=5, warmup_rounds=1
    )


def test_prepare(benchmark, ptb_xl, headers, tmp_path):
    caches = itertools.count()

    def fresh():
        return (find_cohort("ptb-xl")(ptb_xl), tmp_path / str(next(caches))), {}

    store = benchmark.pedantic(prepare, setup=fresh, rounds=5, warmup_rounds=1)
    assert len(store) == len(headers)


def test_open_a_prepared_store(benchmark, ptb_xl, tmp_path):
    prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)
    benchmark(lambda: prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path))


def test_stream_a_store(benchmark, ptb_xl, tmp_path):
    store = prepare(find_cohort("ptb-xl")(ptb_xl), tmp_path)
    benchmark.pedantic(
        lambda: [store.recording(position) for position in range(len(store))], rounds=5, warmup_rounds=1
    )


def test_resample_one_record(benchmark, headers):
    signal = read_record(headers[0]).to_recording().signal
    benchmark(resample, signal, 500, 100)
