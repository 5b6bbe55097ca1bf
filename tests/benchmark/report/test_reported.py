"""Published figures of others: sourced, readable, and kept out of everything that is measured here."""

from __future__ import annotations

import json
from pathlib import Path

from benchmark.report.reported import REPORTED_WORDS, reported_table
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import record, write_run


def test_every_figure_has_a_source_and_lies_in_its_interval() -> None:
    table = reported_table()
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        shown = cells["Reported value [interval]"]
        assert shown.sort is not None
        assert 0 < shown.sort < 1
        assert "arXiv" in cells["Source"].text or "doi" in cells["Source"].text
        assert cells["Metric"].text in {"AUPRC", "macro AUROC"}
        if "[" in shown.text:
            low, high = map(float, shown.text.partition("[")[2].rstrip("]").split(","))
            assert low < shown.sort < high


def test_the_system_itself_is_there_as_its_abstract_says() -> None:
    found = {row[3].text: row[5].text for row in reported_table().rows if row[0].text.startswith("ECGCLIP")}
    assert found == {
        "atrial fibrillation": "0.900",
        "ST-elevation myocardial infarction": "0.383",
        "Ebstein anomaly": "0.253",
        "constrictive pericarditis": "0.175",
        "dextrocardia": "0.121",
        "cardiac amyloidosis": "0.201",
    }


def test_they_stand_apart_and_rank_nobody(tmp_path: Path) -> None:
    write_run(tmp_path, [record("ecgclip"), record("S4")])
    write_report(tmp_path)
    page = (tmp_path / "leaderboard.html").read_text()
    assert REPORTED_WORDS in page
    assert page.index('id="ranking"') < page.index("Reported elsewhere, not re-run")
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    assert {row["model"] for board in content["rankings"] for row in board["rows"]} == {"ecgclip", "S4"}
    assert "0.253" not in (tmp_path / "leaderboard.csv").read_text()
