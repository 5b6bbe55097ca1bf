"""The page of a 12-lead ECG: against what carts print, and against its own promises."""

from __future__ import annotations

import itertools

import pytest

from cohorts.errors import UnknownNameError
from cohorts.paper import LAYOUTS, MM_PER_MV, PULSE_MV, PULSE_SECONDS, SECONDS, page
from cohorts.recording import STANDARD_LEADS

# What every cart prints: row by row, and the second at which each column begins.
PRINTED = {
    (0, 0): "I", (0, 1): "aVR", (0, 2): "V1", (0, 3): "V4",
    (1, 0): "II", (1, 1): "aVL", (1, 2): "V2", (1, 3): "V5",
    (2, 0): "III", (2, 1): "aVF", (2, 2): "V3", (2, 3): "V6",
}  # fmt: skip
A4_ACROSS, A3_UPRIGHT = (297, 210), (297, 420)


def test_three_by_four_is_what_carts_print() -> None:
    strips = page("3x4").strips
    assert {(s.row, s.column): s.lead for s in strips[:12]} == PRINTED
    for strip in strips[:12]:
        assert (strip.start, strip.seconds) == (2.5 * strip.column, 2.5)
    rhythm = strips[12]
    assert (rhythm.lead, rhythm.row, rhythm.start, rhythm.seconds) == ("II", 3, 0, 10)
    assert len(strips) == 13


def test_twelve_by_one_shows_all_of_every_lead() -> None:
    strips = page("12x1").strips
    assert tuple(s.lead for s in strips) == STANDARD_LEADS
    assert [s.row for s in strips] == list(range(12))
    assert {(s.start, s.seconds) for s in strips} == {(0, SECONDS)}


def test_one_second_is_25_mm_from_one_column_to_the_next() -> None:
    for row in range(3):
        starts = [strip for strip in page("3x4").strips if strip.row == row]
        for left, right in itertools.pairwise(starts):
            assert right.left - left.left == 25 * (right.start - left.start) == left.width


@pytest.mark.parametrize(("layout", "paper"), [("3x4", A4_ACROSS), ("12x1", A3_UPRIGHT)])
def test_it_fits_on_paper(layout: str, paper: tuple[int, int]) -> None:
    assert page(layout).width <= paper[0] - 10
    assert page(layout).height <= paper[1] - 25


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_fill_the_page_and_do_not_overlap(layout: str) -> None:
    made = page(layout)
    edges = [(row.top, row.top + row.height) for row in made.rows]
    assert [top for top, _ in edges] == [0, *(bottom for _, bottom in edges[:-1])]
    assert edges[-1][1] == made.height
    assert all(row.height >= 30 for row in made.rows)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_traces_begin_on_the_grid(layout: str) -> None:
    made = page(layout)
    for strip in made.strips:
        assert made.rows[strip.row].baseline % 5 == 0
        assert strip.column > 0 or strip.left % 5 == 0
        assert strip.left + strip.width <= made.width


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_pulse_is_before_the_trace_and_within_its_row(layout: str) -> None:
    made = page(layout)
    for strip in made.strips:
        row = made.rows[strip.row]
        assert row.pulse > 0
        assert row.pulse + PULSE_SECONDS * 25 < made.strips[0].left
        assert row.baseline - PULSE_MV * MM_PER_MV > row.top


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_are_within_their_rows(layout: str) -> None:
    made = page(layout)
    for strip in made.strips:
        x, y = strip.name
        row = made.rows[strip.row]
        assert row.top < y < row.top + row.height
        assert 0 < x < strip.left + strip.width


def test_an_unknown_layout_is_refused_in_one_sentence() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown layout '3x5'\. Did you mean '3x4'\?"):
        page("3x5")
