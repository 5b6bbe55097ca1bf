"""The table of `make bench` says what was measured, and a dash where nothing was."""

from tests.benchmarks.table import table


def test_a_row_states_its_own_figure_or_its_shortest_round() -> None:
    stated = {"ours": 4200, "instead": 900, "limit": 4000, "unit": "records/s", "n": 64}
    plain = {"name": "test_start_up", "stats": {"min": 0.123456}, "extra_info": {}}
    other = {"name": "test_resampling[a|b]", "stats": {"min": 1.0}, "extra_info": stated}
    assert table({"benchmarks": [plain, other]}).splitlines()[2:] == [
        "| start up | 0.1235 | – | – | s | – |",
        "| resampling[a\\|b] | 4200 | 900 | 4000 | records/s | n: 64 |",
    ]
