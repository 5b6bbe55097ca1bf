"""Descriptions, citations, reasons and names from strangers stay text in every file of the report."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET

import pytest

from benchmark.report.board import Entry
from benchmark.report.export import csv_cell
from benchmark.report.markdown import markdown
from benchmark.report.style import Picture, inline_svg
from benchmark.report.text import entry_labels, interval, number, signed
from benchmark.report.writing import write_report
from benchmark.text import harmless, one_line
from tests.benchmark.report.report_factory import concept, estimate, planned, record, write_run
from tests.benchmark.report.test_report import Page, strings

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
ORDERS = "\x1b]0;title\x07\x1b[31m\x9b2J\x7f\u202e\u2066\u2028"
TABLE = "a|b `c` \\| **d** [e](javascript:f) <b>\n\n# g \"'& $h$ {{ 7*7 }}"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Report of a run that holds hostile text in every free field."""
    bad = SCRIPT + TABLE + ORDERS
    metrics = concept(0.9).model_copy(update={"auroc": estimate(0.9, low=None, high=None, reason=bad)})
    one = record(
        "net",
        "=cmd|' /C calc'!A0",
        {SCRIPT: metrics, TABLE: None, "$\\frac{1$": 0.7, "=1+1": 0.8},
        protocol="as_is",
        card={"description": bad, "licence": bad, "citation": bad, "version": bad, "trained_on": (bad,)},
        facts={"name": bad, "version": bad},
        fingerprint=bad,
        skipped={bad: bad},
        ontology={"version": bad, "hash": bad},
    )
    one = one.model_copy(
        update={
            "cohort": one.cohort.model_copy(update={"id": "$\\frac{1$<script>x</script>"}),
            "protocol": "p",
        }
    )
    folder = tmp_path_factory.mktemp("run")
    # A cohort's id names its file: this one lies a folder deeper, for the slash in it.
    write_run(
        folder,
        [one],
        [planned("net", bad, reason=bad)],
        absent={bad: bad},
        warnings=[bad, "=1+1"],
        name=bad,
    )
    paths = write_report(folder)
    found = {path.suffix[1:]: path.read_text("utf-8") for path in paths if path.parent == folder}
    return found | {path.stem: path.read_text("utf-8") for path in paths if path.suffix == ".svg"}


def test_html_shows_hostile_text_and_obeys_none_of_it(texts: dict[str, str]) -> None:
    page = Page(texts["html"])
    assert page.open == []
    assert page.tags.count("script") == 3
    assert set(page.scripts) == {"data", "later", "code"}
    assert all("<" not in page.scripts[name] for name in ("data", "later"))
    assert "img" not in page.tags
    assert "b" not in page.tags
    assert "alert(1)" in page.text
    assert any(SCRIPT in text for text in strings(page.data["data"]))
    assert any(SCRIPT in text for text in strings(page.data["later"]))
    assert "{{ 7*7 }}" in page.text
    assert not any(address.startswith("javascript") for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("file", ["html", "md", "csv", "forest", "heatmap"])
def test_nothing_gives_orders_to_a_terminal_or_turns_the_writing_round(
    texts: dict[str, str], file: str
) -> None:
    assert harmless(texts[file]) == texts[file]


def test_svg_is_well_formed_and_shows_names_as_they_are(texts: dict[str, str]) -> None:
    for name in ("forest", "heatmap"):
        root = ET.fromstring(texts[name])
        assert not [node for node in root.iter() if node.tag.endswith(("script", "img"))]
        assert "$\\frac{1$" in "".join(root.itertext())


def test_markdown_tables_keep_their_columns(texts: dict[str, str]) -> None:
    lines = texts["md"].splitlines()
    assert "<script" not in texts["md"]
    assert not re.search(r"(?<!\\)\]\(", texts["md"].replace("](figures/", ""))
    assert not [line for line in lines if line.startswith("# g")]
    assert sum(line.startswith("# ") for line in lines) == 1
    columns = 0
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|"):
            columns = line.count("|") if not before.startswith("|") else columns
            assert line.count("|") == columns


def test_csv_has_no_formula_and_keeps_the_text(texts: dict[str, str]) -> None:
    rows = list(csv.reader(io.StringIO(texts["csv"])))
    assert {len(row) for row in rows} == {21}
    cells = {cell for row in rows for cell in row}
    assert "'=1+1" in cells
    assert TABLE in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formula_gets_an_apostrophe(start: str) -> None:
    assert csv_cell(f"{start}1+1") == f"'{start}1+1"


def test_negative_numbers_stay_numbers() -> None:
    assert csv_cell(-0.25) == -0.25
    assert csv_cell("a=b") == "a=b"
    assert (csv_cell(True), csv_cell(None)) == ("true", None)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", "a&#124;b"),
        ("`x`", "&#96;x&#96;"),
        ("a\\|b", "a&#92;&#124;b"),
        ("line\r\nline", "line line"),
        ("<img onerror=x>", "&#60;img onerror=x&#62;"),
        ("&lt;", "&#38;lt;"),
        ("*a* _b_ ~c~", "\\*a\\* \\_b\\_ \\~c\\~"),
        ("![x](y) [x]: z [x][y]", "![x\\](y) [x\\]: z [x\\][y]"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("1. item", "1\\. item"),
        ("0.871 [0.850, 0.893]", "0.871 [0.850, 0.893]"),
        ("+0.05", "+0.05"),
    ],
)
def test_markdown_escapes(text: str, escaped: str) -> None:
    assert markdown(text) == escaped


def test_control_characters_and_direction_marks_are_dropped() -> None:
    assert one_line("a\x00b\u202ec\td\n") == "a b c d"


def test_numbers_as_they_are_shown() -> None:
    assert [number(v) for v in (0.5, 1.0, 0.0, 0.0004, 0.0006, 0.99951)] == [
        "0.500",
        "1.000",
        "0.000",
        "<0.001",
        "0.001",
        "1.000",
    ]
    assert number(None) == interval(estimate(None)) == "\N{EN DASH}"
    assert [signed(v) for v in (0.0314, -0.0002, -0.5)] == ["+0.031", "0.000", "\N{MINUS SIGN}0.500"]
    assert interval(estimate(0.871, width=0.0214)) == "0.871 [0.850, 0.892]"


def test_protocol_is_named_where_a_model_has_several() -> None:
    entries = [Entry("a", "as_is"), Entry("a", "probe"), Entry("b", "as_is")]
    assert list(entry_labels(entries).values()) == ["a (as_is)", "a (probe)", "b"]


def test_ids_inside_two_pictures_differ() -> None:
    svg = '<svg><g id="a" clip-path="url(#b)"><use href="#b"/>id="a" &lt;g id="a"</g></svg>'
    assert inline_svg(Picture("one", "", f'<?xml version="1.0"?>\n{svg}\n', b"")) == (
        '<svg><g id="one-a" clip-path="url(#one-b)"><use href="#one-b"/>id="a" &lt;g id="a"</g></svg>'
    )
