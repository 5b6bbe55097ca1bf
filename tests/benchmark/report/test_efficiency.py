"""The label-efficiency figure, and the table of conditions that were kept from a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.protocols.protocol import PROTOCOLS
from benchmark.records.fit_seeds import replicates_of
from benchmark.records.record import ResultRecord, Training
from benchmark.records.run_folder import load_run
from benchmark.report.efficiency import efficiency, series_of, share_of
from benchmark.report.ranking import make_boards
from benchmark.report.unseen import unseen_table
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import concept, record, write_run


def cell(protocol: str, value: float, model: str = "clip", **changes: Any) -> ResultRecord:
    known = PROTOCOLS[protocol]
    fits = tuple(
        Training(
            source="ptb-xl",
            fingerprint="f",
            percent=known.percent,
            records=9,
            validation_records=2,
            seed=seed,
            key="k",
        )
        for seed in range(replicates_of(known.percent) if known.kind != "zero-shot" else 0)
    )
    return record(
        model, changes.pop("cohort", "georgia"), {"AF": value}, protocol=protocol, training=fits, **changes
    )


CELLS = [
    cell("zero-shot", 0.7),
    cell("linear-probe-1", 0.75),
    cell("linear-probe-10", 0.8),
    cell("linear-probe-100", 0.9),
    cell("fine-tune-10", 0.85),
    cell("as-is", 0.88, "net"),
]


def boards_of(folder: Path, cells: list[ResultRecord]) -> Any:
    write_run(folder, cells)
    return make_boards(*load_run(folder))


def test_each_share_stands_where_it_belongs() -> None:
    assert [share_of(one) for one in CELLS] == [0, 1, 10, 100, 10, 100]
    labels = {series.label for one in CELLS if (series := series_of(one)) is not None}
    assert labels == {"clip, zero shot", "clip, linear probe", "clip, fine tune", "net, all labels"}


def test_internal_undefined_and_unseen_cells_are_not_drawn() -> None:
    assert series_of(cell("linear-probe-10", 0.8, relation="internal")) is None
    assert series_of(cell("zero-shot-unseen", 0.8)) is None
    few = record("clip", "georgia", {"AF": concept(0.9, positives=3)}, protocol="linear-probe-10")
    assert series_of(few) is None
    assert series_of(record("own", "georgia", protocol="as-is")) is None  # was given no labels by us


def test_the_figure_shows_every_line_and_names_it(tmp_path: Path) -> None:
    picture = efficiency(boards_of(tmp_path, CELLS))
    assert picture is not None
    for text in ("clip, linear probe", "net, all labels", "georgia", "Macro AUPRC", "10 %", "of the source"):
        assert text in picture.svg
    again = efficiency(boards_of(tmp_path, CELLS))
    assert again is not None
    assert again.png == picture.png


def test_without_two_shares_there_is_no_figure(tmp_path: Path) -> None:
    assert efficiency(boards_of(tmp_path, [CELLS[0], CELLS[2]])) is None
    write_report(tmp_path)
    assert not (tmp_path / "figures/efficiency.svg").exists()
    assert "How many labels" not in (tmp_path / "leaderboard.html").read_text()


def test_unseen_conditions_stand_beside_the_model_that_saw_them_and_never_rank(tmp_path: Path) -> None:
    unseen = cell("zero-shot-unseen", 0.6)
    table = unseen_table([*CELLS, unseen])
    assert table is not None
    assert [one.text for one in table.rows[0]] == [
        "clip",
        "georgia",
        "external",
        "AF",
        "100",
        "20",
        "0.600 [0.580, 0.620]",
        "0.700 [0.680, 0.720]",
    ]
    boards = boards_of(tmp_path, [*CELLS, unseen])
    assert "zero-shot-unseen" not in {entry.protocol for board in boards for entry in board.entries}
    write_report(tmp_path)
    for name in ("leaderboard.html", "leaderboard.md"):
        text = (tmp_path / name).read_text()
        assert "0.600 [0.580, 0.620]" in text
        assert "never shown in pre-training" in text
    assert "efficiency" in (tmp_path / "leaderboard.md").read_text()
    assert unseen_table(CELLS) is None
