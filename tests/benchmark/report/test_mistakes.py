"""The most confident mistakes: which they are, whose recordings are never shown, and what the page says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.exchange.joining import Joined, one_run
from benchmark.records.predictions import load_predictions
from benchmark.records.record import ResultRecord
from benchmark.report.board import Entry
from benchmark.report.mistakes.choosing import Found, Mistake, find_mistakes, outscored, why_not_shown
from benchmark.report.mistakes.drawing import sheet
from benchmark.report.mistakes.pages import as_page, page_paths, without_recordings
from benchmark.report.writing import write_report
from benchmark.run.cohorts import prepared_before
from cohorts.catalogue import measured_cards
from cohorts.recording import STANDARD_LEADS, Recording
from cohorts.store import Store
from tests.benchmark.report.report_factory import record
from tests.benchmark.tiny_run import make_places, make_run, score_table


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    """The noisy model, and one that is right of every record of Georgia but the first of either label."""
    run = make_run(tmp_path_factory.mktemp("runs"), places)
    table, _ = load_predictions(run / "noisy/as-is/georgia.parquet")
    store = prepared_before(places)("georgia")
    assert store is not None
    for concept in ("AF", "LVH"):
        truth = store.labels[concept].to_numpy() == 1
        spread = np.linspace(0, 0.1, len(truth), dtype=np.float32)
        scores = np.where(truth, 0.8, 0.1).astype(np.float32) + spread
        if concept == "AF":
            scores[truth.argmax()], scores[(~truth).argmax()] = -1, 2
        table[concept] = scores
    score_table(run, places, table, "sure")
    return run


@pytest.fixture(scope="module")
def joined(run: Path) -> Joined:
    return one_run(run)


def of(joined: Joined, model: str) -> list[ResultRecord]:
    return [one for one in joined.records if one.model.name == model]


def test_outscored_is_what_a_pair_by_pair_count_says() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 5, 40) / 4, rng.random(40) < 0.4
    counted = outscored(scores, positive)
    for at in range(40):
        other = scores[positive != positive[at]]
        wrong = other > scores[at] if positive[at] else other < scores[at]
        assert counted[at] == wrong.sum() + (other == scores[at]).sum() / 2


def test_the_two_wrong_records_are_found_and_no_others(joined: Joined, places: Places) -> None:
    found = find_mistakes(of(joined, "sure"), joined.files, prepared_before(places))
    wrong = sorted((one.concept, one.label, one.score) for one in found.mistakes)
    assert wrong == [("AF", 0, 2), ("AF", 1, -1)]
    store = prepared_before(places)("georgia")
    assert store is not None
    for one, drawn in zip(found.mistakes, found.recordings, strict=True):
        assert one.beaten == one.against == (store.labels["AF"] == 1 - one.label).sum()
        row = store.index.iloc[one.position]
        assert (one.record_id, one.statements) == (row["record_id"], row["statements"])
        assert store.labels["AF"].iloc[one.position] == one.label
        np.testing.assert_array_equal(drawn.signal, store.recording(one.position).signal)


def test_half_are_of_each_kind_and_no_recording_is_shown_twice(joined: Joined, places: Places) -> None:
    found = find_mistakes(of(joined, "noisy"), joined.files, prepared_before(places))
    assert len(found.mistakes) == 20
    assert len({(one.card.id, one.record_id) for one in found.mistakes}) == 20
    assert all(2 * one.beaten > one.against for one in found.mistakes)
    sure = [one.confidence for one in found.mistakes]
    assert sure == sorted(sure, reverse=True)


@pytest.mark.parametrize("cohort", [name for name, card in measured_cards().items() if card.access != "open"])
def test_a_credentialed_or_private_cohort_is_never_looked_at(cohort: str) -> None:
    def never(name: str) -> Store | None:
        raise AssertionError(name)

    one = record(cohort=cohort)
    found = find_mistakes([one], {}, never)
    assert found.mistakes == ()
    assert measured_cards()[cohort].access in found.left_out[cohort]


def test_a_private_or_unknown_cohort_is_never_shown_whatever_its_name() -> None:
    assert "private" in why_not_shown(record(facts={"private": True}))
    assert "not known here" in why_not_shown(record(cohort="a-hospital"))
    assert why_not_shown(record()) == ""


def test_internal_cells_and_missing_or_other_stores_give_none(joined: Joined, places: Places) -> None:
    records, stores = of(joined, "sure"), prepared_before(places)
    assert find_mistakes(records, joined.files, None).left_out == {
        "georgia": "not on this machine when the page was made"
    }
    internal = [one.model_copy(update={"relation": "internal"}) for one in records]
    assert find_mistakes(internal, joined.files, stores) == Found((), (), {})
    other = records[0].cohort.model_copy(update={"fingerprint": "f00d"})
    changed = [one.model_copy(update={"cohort": other}) for one in records]
    assert "not here in the state" in find_mistakes(changed, joined.files, stores).left_out["georgia"]
    lied = records[0].predictions.model_copy(update={"sha256": "00"})
    forged = [one.model_copy(update={"predictions": lied}) for one in records]
    assert "not those that were measured" in find_mistakes(forged, joined.files, stores).left_out["georgia"]


def test_the_report_writes_and_links_the_pages(run: Path, places: Places) -> None:
    written = write_report(run, stores=prepared_before(places))
    assert {path.name for path in written if path.parent.name == "mistakes"} >= {"noisy.html", "sure.html"}
    page, own = (run / name for name in ("leaderboard.html", "mistakes/noisy.html"))
    assert 'href="mistakes/noisy.html"' in page.read_text("utf-8")
    assert own.read_text("utf-8").count("<article>") == 20
    assert own.stat().st_size < 2_000_000
    sheets = own.read_bytes()
    write_report(run)  # as in mid-run: nobody has looked for mistakes
    assert "none of the open external cohorts was on this machine" in page.read_text("utf-8")
    assert own.read_bytes() == sheets
    gone = run / "mistakes/gone.html"
    gone.touch()  # of a model that is no more in the run
    write_report(run, stores=lambda _: None)  # type: ignore[arg-type]
    assert own.read_bytes() == sheets, "the releases are elsewhere: nobody can make it again here"
    assert not gone.exists()


def test_a_page_may_be_right_where_its_open_external_recordings_are_all_elsewhere(joined: Joined) -> None:
    def stay(here: str, **changes: Any) -> set[str]:
        one = of(joined, "sure")[0].model_copy(update=changes)
        home = one.model_copy(
            update={"relation": "internal", "cohort": one.cohort.model_copy(update={"id": "ptb-xl"})}
        )
        return without_recordings(replace(joined, records=[one, home]), {here: True}.get)  # type: ignore[arg-type]

    cohort = of(joined, "sure")[0].cohort
    assert stay("ptb-xl") == {"mistakes/sure.html"}  # none of its own fold is ever on the page
    assert stay("georgia") == set()
    assert stay("ptb-xl", relation="internal") == set()
    assert stay("ptb-xl", cohort=cohort.model_copy(update={"private": True})) == set()


def test_every_sheet_has_licence_and_a_simulated_one_says_so(joined: Joined, places: Places) -> None:
    found = find_mistakes(of(joined, "sure"), joined.files, prepared_before(places))
    html = as_page(Entry("sure", "as-is"), found)
    assert html.count("licence: ") == len(found.mistakes) == html.count('role="img"')
    assert "SIMULATED" not in html
    marked = [replace(one, card=one.card.model_copy(update={"simulated": True})) for one in found.mistakes]
    assert as_page(Entry("sure", "as-is"), replace(found, mistakes=tuple(marked))).count("SIMULATED") >= 4


def test_hostile_texts_do_nothing(joined: Joined, places: Places) -> None:
    evil = '"><script>alert(1)</script>\u202e'
    found = find_mistakes(of(joined, "sure"), joined.files, prepared_before(places))
    changed: list[Mistake] = [
        replace(one, record_id=evil, concept=evil, statements=(evil, evil)) for one in found.mistakes
    ]
    html = as_page(Entry(evil, evil), replace(found, mistakes=tuple(changed), left_out={evil: evil}))
    assert "<script" not in html
    assert "\u202e" not in html


def test_paths_are_plain_and_differ_where_names_do_in_case_or_protocol_alone() -> None:
    entries = [
        Entry("net", "as-is"),
        Entry("Net", "as-is"),
        Entry("../x", "as-is"),
        Entry("b", "a"),
        Entry("b", "c"),
    ]
    entries += [Entry("plain", "as-is"), Entry("\ud800", "as-is")]
    paths = page_paths(entries)
    assert paths["plain", "as-is"] == "mistakes/plain.html"  # type: ignore[index]
    assert len({path.lower() for path in paths.values()}) == len(entries)
    assert all(re.fullmatch(r"mistakes/[A-Za-z0-9_-][A-Za-z0-9._-]*\.html", path) for path in paths.values())


def test_a_trace_is_where_the_sheet_says_and_a_missing_sample_is_a_gap() -> None:
    signal = np.zeros((12, 5000), np.float32)
    signal[0, 500] = 1.0  # 1 s, 1 mV
    signal[1, 2000:2100] = np.nan
    svg = str(sheet(Recording(signal, 500.0, STANDARD_LEADS), "a"))
    path = svg.partition('class="trace" d="')[2].partition('"')[0]
    traces = [part for part in path.split("M") if "l" in part]
    assert len(traces) == 14  # 13 strips, one of them in two parts: lead II below
    heights = []
    for trace in traces:
        start, _, steps = trace.partition("l")
        x, y = map(int, start.split())
        points = [(x, y)]
        numbers = list(map(int, steps.split()))
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        heights.append(points)
    assert min(heights[0], key=lambda point: point[1]) == (100 + 250, 250 - 100)
    ends = pd.DataFrame(heights[-2]).iloc[-1].tolist(), pd.DataFrame(heights[-1]).iloc[0].tolist()
    assert [ends[0][0], ends[1][0]] == [round(100 + 250 * 1999 / 500), round(100 + 250 * 2100 / 500)]


def test_silence_and_short_recordings_are_drawn() -> None:
    nothing = Recording(np.full((12, 1000), np.nan, np.float32), 500.0, STANDARD_LEADS)
    assert 'role="img"' in sheet(nothing, "a")
    assert 'role="img"' in sheet(replace(nothing, signal=np.zeros((12, 1), np.float32)), "a")
