"""The report of a whole run: files, numbers, and runs in which little or nothing is there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmark.records.record import Pretraining, PretrainingSource, RecordCounts, ResultRecord, Training
from benchmark.records.run_file import PlannedCell
from benchmark.report.writing import write_report
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import concept, estimate, planned, record, write_run

FILES = [
    "leaderboard.html",
    "leaderboard.md",
    "leaderboard.csv",
    "leaderboard.json",
    "figures/forest.svg",
    "figures/forest.png",
    "figures/heatmap.svg",
    "figures/heatmap.png",
]

USUAL = [
    record("net", "ptb-xl", {"AF": 0.95, "WPW": concept(0.9, positives=4)}, relation="internal"),
    record("net", "georgia", {"AF": 0.9, "WPW": None}),
    record("control", "ptb-xl", {"AF": 0.5, "WPW": concept(0.5, positives=4)}, relation="internal"),
    record("control", "georgia", {"AF": 0.5, "WPW": None}),
]


class Page(HTMLParser):
    """What a browser would find: open elements, ids, addresses, text, data of the script.

    ``text`` is what somebody may read: the text of the elements, of the tables that the script makes from
    ``data["later"]``, and the notes of cells. Styles and the script itself are not in it.
    """

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.scopes: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.scripts: dict[str, str] = {}
        self._script = ""
        self.feed(html)
        self.close()
        self.data = {name: json.loads(text) for name, text in self.scripts.items() if name != "code"}
        self.text += "\n".join(strings(self.data.get("later")))
        self.text += "\n".join(strings(self.data.get("data", {}).get("texts")))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.addresses.append(value or "")
            if name == "scope":
                self.scopes.append(value or "")
        if tag == "script":
            self._script = dict(attrs).get("id") or "code"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        elif not self.open or self.open[-1] != "style":
            self.text += data


def strings(content: object) -> Iterator[str]:
    """Every text in JSON, without the names of what is in it."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | dict):
        for one in content.values() if isinstance(content, dict) else content:
            yield from strings(one)


def report(folder: Path, records: list[ResultRecord], *args: object, **changes: object) -> dict[str, str]:
    """Text of the report's files by suffix, and of the two figures by name."""
    paths = write_report(write_run(folder, records, *args, **changes))
    texts = {path.suffix[1:]: path.read_text("utf-8") for path in paths if path.parent == folder}
    return texts | {path.stem: path.read_text("utf-8") for path in paths if path.suffix == ".svg"}


def test_files_and_their_determinism(tmp_path: Path) -> None:
    first = write_report(write_run(tmp_path / "a", USUAL))
    before = {path.name: path.read_bytes() for path in first}
    assert [path.relative_to(tmp_path / "a").as_posix() for path in first] == FILES
    assert before == {path.name: path.read_bytes() for path in write_report(tmp_path / "a")}
    assert before == {path.name: path.read_bytes() for path in write_report(write_run(tmp_path / "b", USUAL))}
    assert all(before[name].startswith(b"\x89PNG") for name in ("forest.png", "heatmap.png"))


def test_page_is_whole_accessible_and_self_contained(tmp_path: Path) -> None:
    html = report(tmp_path, USUAL, absent={"ningbo": "no folder"})["html"]
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for address in page.addresses:
        assert address in FILES or address.removeprefix("#") in page.ids
    assert set(page.scopes) == {"row", "col"}
    assert page.tags.count("caption") == page.tags.count("table") > 5
    assert len(page.data["later"]) == page.tags.count("details") > 3
    assert len(html) < 200_000


def test_numbers_of_the_leaderboard(tmp_path: Path) -> None:
    texts = report(tmp_path, USUAL)
    rows = json.loads(texts["json"])["rankings"][0]["rows"]
    assert [(r["model"], r["rank"], r["external_macro_auroc_mean"]) for r in rows] == [
        ("net", 1, 0.9),
        ("control", 2, 0.5),
    ]
    assert (
        "| net | as\\_is | 1 | 0.900 <sup>1</sup> | 1 of 1 | 1 of 1 | 0.900 [0.880, 0.920] georgia "
        "| 0.950 [0.930, 0.970] ptb-xl | – <sup>2</sup> |  |" in texts["md"]
    )
    assert "This ranking is over 1 cohort: georgia (1 concept)." in texts["html"]


def test_both_rankings_are_there_and_the_one_asked_for_is_first(tmp_path: Path) -> None:
    texts = report(tmp_path, USUAL)
    run = next(path.parent for path in tmp_path.rglob("run.json"))
    write_report(run, "auprc")
    by_auprc = (run / "leaderboard.html").read_text()
    for html, first, second in ((texts["html"], "AUROC", "AUPRC"), (by_auprc, "AUPRC", "AUROC")):
        words = "Ranked by mean macro {} on external cohorts"
        assert html.index(words.format(first)) < html.index(words.format(second))
    content = json.loads((run / "leaderboard.json").read_text())
    [board], [other] = content["rankings"], content["rankings_by_the_other_metric"]
    assert (board["metric"], other["metric"]) == ("auprc", "auroc")
    assert [row["external_macro_auprc_mean"] for row in board["rows"]] == [0.45, 0.25]
    assert [row["external_macro_auroc_mean"] for row in other["rows"]] == [0.9, 0.5]
    assert "Ranked by mean macro AUPRC" in (run / "leaderboard.md").read_text()


def test_csv_has_a_row_for_every_estimate(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(tmp_path, USUAL)["csv"])))
    assert len(rows) == 4 * 3 * 2
    macro, undefined = rows[0], rows[10]
    assert macro == {
        "model": "net",
        "protocol": "as_is",
        "cohort": "ptb-xl",
        "concept": "macro",
        "metric": "auroc",
        "value": "0.95",
        "low": "0.9299999999999999",
        "high": "0.97",
        "n": "100",
        "positives": "",
        "prevalence": "0.2",
        "eligible": "true",
        "relation": "internal",
        "selection": "test",
        "unit": "patients",
        "groups": "90",
        "resamples": "1000",
        "seed": "7",
        "undefined_fraction": "0.0",
        "reason": "",
        "simulated": "false",
    }
    assert (undefined["cohort"], undefined["concept"], undefined["metric"]) == ("georgia", "WPW", "auroc")
    assert (undefined["value"], undefined["low"], undefined["reason"]) == ("", "", "no positive record")
    assert {row["eligible"] for row in rows if row["concept"] == "WPW" and row["cohort"] == "ptb-xl"} == {
        "false"
    }


def test_json_is_strict_and_says_the_same_as_the_csv(tmp_path: Path) -> None:
    texts = report(tmp_path, USUAL)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    content = json.loads(texts["json"], parse_constant=refuse)
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    shown = {None: "", True: "true", False: "false"}
    for one, other in zip(content["estimates"], rows, strict=True):
        assert {
            k: v if isinstance(v, str) else shown[v] if v in (None,) or isinstance(v, bool) else str(v)
            for k, v in one.items()
        } == other
    assert content["cells"][0]["model"]["licence"] == "MIT"


def test_undefined_is_a_dash_with_its_reason(tmp_path: Path) -> None:
    page = Page(report(tmp_path, USUAL)["html"])
    assert "no positive record" in page.text
    assert any(0 in population["eligible"] for population in page.data["data"]["populations"])


def test_cells_and_cohorts_that_are_missing_are_named_with_reasons(tmp_path: Path) -> None:
    skipped = {f"r{at}": "lead V1 is flat" for at in range(7)} | {"x": "NaN"}
    texts = report(
        tmp_path,
        [record(skipped=skipped, facts={"release_records": 21799})],
        [planned("net", "ningbo", reason="out of memory"), planned("net", "ptb", "planned")],
        absent={"sph": "no folder sph"},
        warnings=["12 headers differ"],
    )
    for text in (Page(texts["html"]).text, texts["md"]):
        assert "out of memory" in text
        assert "not run yet" in text
        assert "no folder sph" in text
        assert "12 headers differ" in text
        assert "100 of 21,799 records" in text
        assert "r0, r1, r2, r3, r4, ..." in text
    content = json.loads(texts["json"])
    assert sum(len(group["record_ids"]) for group in content["quarantined"]) == 8
    assert content["cells"][0]["records"]["quarantined"] == 8
    assert [cell["reason"] for cell in content["without_result"]] == ["out of memory", None]
    assert "2 of 3 planned cells have no result" in texts["html"]


def test_provenance_and_cards_are_on_the_page(tmp_path: Path) -> None:
    fits = tuple(
        Training(
            source="ptb-xl",
            fingerprint="f",
            percent=10,
            records=276 + seed,
            validation_records=40,
            seed=seed,
            key="k",
        )
        for seed in (3, 4)
    )
    pretraining = Pretraining(
        sources=(
            PretrainingSource(cohort="mimic-iv-ecg", fingerprint="g", records=900, validation_records=99),
        ),
        held_out=("AF",),
        seed=1,
        precision="32-true",
        key="p",
    )
    one = record(
        training=fits,
        pretraining=pretraining,
        weights_sha256=("cafe", "babe"),
        card={"description": "a network"},
    )
    text = Page(report(tmp_path, [one, record("plugin", card={"trained_on": "undisclosed"})])["html"]).text
    for fact in (
        "MIT",
        "Doe 2020",
        "a network",
        "undisclosed",
        "cafe",
        "pre-trained by this suite on mimic-iv-ecg (900 pairs, 99 for validation) without AF, seed 1",
        "10 % of the labels: 279 / 280 records (40 for validation), seeds 3, 4, mean of 2 fits",
        "cafe, babe",
        "12 leads (I II III aVR aVL aVF V1 V2 V3 V4 V5 V6), 500 Hz, 10 s, mV; longer records: first window",
        "georgia abcd",
        "f00d",
        "numpy 2.1.0, torch 2.6.0",
        "1,000 resamples, seed 7",
        "90 patients",
        "cpu 2 cores",
    ):
        assert fact in text


def test_simulated_cohorts_are_marked_wherever_they_are_shown(tmp_path: Path) -> None:
    texts = report(tmp_path, [record("net"), record("net", "sim", simulated=True)])
    page = Page(texts["html"])
    for text in (page.text, texts["md"]):
        assert "not from patients" in text
        assert "Simulated cohorts, not patients: ranked by" in text
        assert "1 of 1 simulated" in text
        assert "sim (simulated)" in text
    assert page.text.count("sim (simulated): all records") == 2  # summary and caption
    assert "sim (simulated)" in texts["forest"]
    assert "sim · simulated" in texts["heatmap"]
    assert "georgia (simulated)" not in texts["forest"]
    rows = csv.DictReader(io.StringIO(texts["csv"]))
    assert {(row["cohort"], row["simulated"]) for row in rows} == {("georgia", "false"), ("sim", "true")}
    content = json.loads(texts["json"])
    assert [board["simulated"] for board in content["rankings"]] == [False, True]
    assert content["simulated"]


def test_no_banner_without_simulated_cohorts(tmp_path: Path) -> None:
    page = Page(report(tmp_path, USUAL)["html"])
    assert "imulated" not in page.text
    assert not [text for text in strings(page.data["data"]) if "imulated" in text]


def test_models_on_different_records_of_a_cohort_stand_in_different_tables(tmp_path: Path) -> None:
    text = Page(
        report(tmp_path, [record("a", "ptb-xl", relation="internal"), record("b", "ptb-xl")])["html"]
    ).text
    assert text.count("ptb-xl: test fold, 100 scored") == 2  # summary and caption
    assert text.count("ptb-xl: all records, 100 scored") == 2


def test_interval_that_is_missing_or_leaves_out_resamples_says_why(tmp_path: Path) -> None:
    alone = estimate(0.8, low=None, high=None, reason="no interval: only one of patients to draw")
    shaky = estimate(0.7, undefined_fraction=0.25)
    concepts = {"AF": concept(0.8).model_copy(update={"auroc": alone, "auprc": shaky})}
    page = Page(report(tmp_path, [record(aurocs=concepts)])["html"])
    assert page.data["data"]["cells"][0]["auroc"]["columns"] == [[8000], [None], [None]]
    text = page.text
    assert "no interval: only one of patients to draw" in text
    assert "undefined in 25.0% of the resamples" in text


NOTHING: list[ResultRecord] = []
FEW = {"AF": concept(0.9, positives=3), "LBBB": None}


@pytest.mark.parametrize(
    ("records", "unfinished", "said"),
    [
        (NOTHING, [], "No cell of this run is finished"),
        (NOTHING, [planned("net", "georgia", reason="no GPU")], "no GPU"),
        ([record(aurocs={"AF": 0.9})], [], "This ranking is over 1 cohort: georgia (1 concept)"),
        ([record("net", "ptb-xl", relation="internal")], [], "Nothing is ranked"),
        ([record(relation="unknown")], [], "training data undisclosed"),
        ([record(aurocs=FEW)], [], "Not in this ranking: georgia (too few positives"),
        ([record(aurocs={"AF": None})], [], "too few positives"),
        ([record(aurocs={"AF": concept(None, positives=0, n=0)})], [], "not annotated here: AF"),
        ([record(aurocs={})], [], "too few positives"),
    ],
)
def test_runs_with_little_in_them(
    tmp_path: Path, records: list[ResultRecord], unfinished: list[PlannedCell], said: str
) -> None:
    texts = report(tmp_path, records, unfinished)
    page = Page(texts["html"])
    assert page.open == []
    assert said in page.text
    assert "nan" not in texts["csv"].lower()
    assert json.loads(texts["json"])["run"] == "a-run"


def test_found_more_than_the_release_has_is_no_partial_copy(tmp_path: Path) -> None:
    counts = RecordCounts(selection="all", found=21837, scored=21837, unselected=0, quarantined=())
    text = Page(report(tmp_path, [record(records=counts, facts={"release_records": 21799})])["html"]).text
    assert "21,837 records (the release has 21,799)" in text
    assert "Partial copies" not in text


def test_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No run\.json"):
        write_report(tmp_path)
