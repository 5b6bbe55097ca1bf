"""Says what the table of times means: ratios to the loop over wfdb, and what each benchmark noted."""

from __future__ import annotations

from typing import Any

import pytest

AGAINST_WFDB = {
    "test_read_record": "reading a record",
    "test_prepare": "preparing a cohort",
    "test_stream_a_store": "streaming a prepared store",
}


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    if session is None:
        return
    fastest = {bench.name: bench.stats.min for bench in session.benchmarks if bench.stats.rounds}
    loop = fastest.get("test_wfdb_rdrecord")
    for name, words in AGAINST_WFDB.items():
        if loop is not None and name in fastest:
            ratio = loop / fastest[name]
            terminalreporter.write_line(f"{words}: {ratio:.1f} times as fast as a loop of wfdb.rdrecord")
    for bench in session.benchmarks:
        for key, value in bench.extra_info.items():
            terminalreporter.write_line(f"{bench.name}: {key}: {value}")
