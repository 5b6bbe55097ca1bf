"""The table of `make bench` says what was measured, what was missed, and keeps the rest of a page."""

from pathlib import Path

from tests.benchmarks.table import BEGIN, END, Row, save, table


def test_a_row_says_whether_its_limit_is_met() -> None:
    rows = [
        Row("start", 0.123456, "s"),
        Row("a|b", 4200.4, "records/s", {"scipy": 900, "other": "not installed"}, at_least=4000),
        Row("memory", 2.5, "GiB", at_most=2),
        Row("cover", float("nan"), "%", at_least=93, at_most=97),
    ]
    assert table(rows).splitlines()[2:] == [
        "| start | 0.123 s | – | – | – |",
        "| a\\|b | 4,200 records/s | scipy 900; other not installed | ≥ 4,000 | met |",
        "| memory | 2.5 GiB | – | ≤ 2 | **missed** |",
        "| cover | nan % | – | ≥ 93, ≤ 97 | **missed** |",
    ]


def test_a_page_keeps_what_is_outside_of_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    save("new\n", page)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    plain = tmp_path / "folder" / "table.md"
    save("new\n", plain)
    assert plain.read_text(encoding="utf-8") == "new\n"
