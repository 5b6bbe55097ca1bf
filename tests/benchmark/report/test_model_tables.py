"""What a model's own labels mean is on the page, word by word; nothing is for a model without any."""

from __future__ import annotations

from pathlib import Path

from baselines.foundation.ked import KedOwnLabels
from benchmark.models.label_map import OwnLabel
from benchmark.report.model_tables import age_table, label_map_tables
from benchmark.report.writing import write_report
from tests.benchmark.report.report_factory import record, write_run
from tests.benchmark.report.test_report import Page

ROWS = [
    ("AFIB", "AF", "same", ""),
    ("AFIB WITH RVR", "AF", "narrower", "and fast"),
    ("WIDE QRS <b>", "LBBB", "broader", "or RBBB"),
    ("LEFT BUNDLE", "LBBB", "same", ""),
    ("ABNORMAL ECG", "", "unmapped", "no concept | none"),
]


def labels() -> list[OwnLabel]:
    names = ("label", "concept", "relation", "note")
    return [OwnLabel.model_validate(dict(zip(names, row, strict=True))) for row in ROWS]


def test_every_row_is_there_once_for_all_cells_of_a_model() -> None:
    card = {"labels": labels()}
    records = [record("cart", cohort, card=card) for cohort in ("georgia", "sph")]
    mapped, unmapped = label_map_tables([*records, record("net")])
    assert mapped.caption.startswith("Own labels of cart: 5, for 2 concepts, each scored by the highest of")
    assert unmapped.caption == "Own labels of cart without a concept"
    assert mapped.columns == ("Own label", "Concept", "Relation", "Note")
    assert [tuple(cell.text for cell in row) for row in mapped.rows] == ROWS[:4]
    assert [tuple(cell.text for cell in row) for row in unmapped.rows] == [(ROWS[4][0], ROWS[4][3])]
    assert age_table(records) is None


def test_the_page_has_them_in_its_part_about_models(tmp_path: Path) -> None:
    write_run(tmp_path, [record("cart", card={"labels": labels()}), record("net")])
    write_report(tmp_path)
    html = (tmp_path / "leaderboard.html").read_text()
    part = html[html.index('<section id="models"') : html.index('<section id="method"')]
    assert part.count("<summary>Own labels of cart") == 2
    assert "Own labels of net" not in part
    assert "Age told" not in html
    mapped, unmapped = (table for table in Page(html).data["later"] if "Own labels" in table["caption"])
    texts = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in mapped["rows"]]
    assert [tuple(row) for row in texts] == ROWS[:4]
    assert unmapped["rows"] == [[ROWS[4][0], ROWS[4][3]]]
    assert "<b>" not in html


def test_the_map_of_a_published_model_fills_a_table() -> None:
    card = KedOwnLabels().card
    tables = label_map_tables([record("ked-105", card=card.model_dump())])
    assert tables[0].caption.startswith("Own labels of ked-105: 105, for ")
    assert sum(len(table.rows) for table in tables) == len(card.labels) > 105
