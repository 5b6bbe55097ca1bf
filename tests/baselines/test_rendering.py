"""Pictures of recordings: the same pixels everywhere, and every pixel where the paper says."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from baselines.clip_image.glyphs import lettering
from baselines.clip_image.rendering import blank_page, render
from cohorts.catalogue import open_cohort
from cohorts.errors import ModelError, UnknownNameError
from cohorts.paper import LAYOUTS, page
from cohorts.recording import STANDARD_LEADS, select_leads

RATE = 500
FULL, THICKNESS = 239, 1.4
"""Ink on white paper, and the pixels that a line of a picture of 448 pixels is thick."""
# Made once from `whole_numbers` below. A change here changes what every published picture model sees.
GOLDEN = {
    ("3x4", 224, "pink"): "73813ab7644152e2b59dd848677e699b2466347a7168440c4465c126b1b28525",
    ("3x4", 512, "none"): "11ad54aadf4a66e86bbabb334a580ed842f1e208fbb46bb768ef9bbe833e249a",
    ("12x1", 224, "pink"): "32a6b20ef3adabddeb9b48287ab1bcd220f6aeadaf32a68bdf13df7c170e8637",
    ("12x1", 512, "pink"): "58eb39eb16981b111c9373ef1251ad942ad6fb9d56d4a5a49d2032e64389ac55",
}


def flat(rate: int = RATE, records: int = 1) -> npt.NDArray[np.float32]:
    return np.zeros((records, 12, 10 * rate), dtype=np.float32)


def whole_numbers() -> npt.NDArray[np.float32]:
    """A recording in whole microvolts, by integer arithmetic alone."""
    time = np.arange(5000)
    beats = np.maximum(1500 - 100 * np.abs(time % 417 - 100), 0)
    waves = (time * time // 7 + 13 * time) % 201 - 100
    leads = [beats * (lead - 5) // 4 + waves * (lead % 3) + 40 * lead for lead in range(12)]
    return (np.array(leads)[None] / 1000).astype(np.float32)


def drawn(signals: npt.NDArray[np.float32], **how: Any) -> npt.NDArray[np.int64]:
    """How much darker the trace has made each pixel of the first picture, on white paper."""
    how = {"size": 224, "layout": "3x4"} | how
    picture = render(signals, how.pop("rate", RATE), STANDARD_LEADS, grid="none", **how)[0, 0]
    return blank_page(how["size"], how["layout"], "none")[0].astype(np.int64) - picture


def cell(lead: str, layout: str, size: int, row: int | None = None) -> tuple[slice, slice]:
    """Rows and columns of pixels of the first strip of a lead."""
    made = page(layout)
    strip = next(s for s in made.strips if s.lead == lead and row in (None, s.row))
    band = made.rows[strip.row]
    down, across = size / made.height, size / made.width
    return (
        slice(round(band.top * down), round((band.top + band.height) * down)),
        slice(round(strip.left * across), round((strip.left + strip.width) * across)),
    )


def baseline(lead: str, layout: str, size: int) -> float:
    made = page(layout)
    return made.rows[next(s.row for s in made.strips if s.lead == lead)].baseline * size / made.height


@pytest.mark.parametrize(("layout", "size", "grid"), GOLDEN)
def test_the_pixels_are_those_of_every_machine(layout: str, size: int, grid: str) -> None:
    picture = render(whole_numbers(), RATE, STANDARD_LEADS, size=size, layout=layout, grid=grid)
    assert hashlib.sha256(picture.tobytes()).hexdigest() == GOLDEN[layout, size, grid]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [224, 336, 384, 512])
def test_shape_and_type(layout: str, size: int) -> None:
    pictures = render(flat(records=2), RATE, STANDARD_LEADS, size=size, layout=layout)
    assert pictures.shape == (2, 3, size, size)
    assert pictures.dtype == np.uint8
    assert pictures.flags.writeable
    assert render(flat(records=0), RATE, STANDARD_LEADS, size=size, layout=layout).shape == (0, 3, size, size)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [224, 512])
def test_a_flat_lead_is_a_line_on_the_baseline(layout: str, size: int) -> None:
    ink = drawn(flat(), layout=layout, size=size)
    for lead in STANDARD_LEADS:
        rows, columns = cell(lead, layout, size)
        here = ink[rows, columns]
        darkest = here.max(axis=0)
        # Where the name of the lead is, there is ink already.
        assert (darkest > 100).mean() > 0.95
        centre = (here * (np.arange(rows.start, rows.stop) + 0.5)[:, None]).sum() / here.sum()
        assert centre == pytest.approx(baseline(lead, layout, size), abs=0.1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [224, 512])
def test_a_millivolt_is_ten_millimetres(layout: str, size: int) -> None:
    signals = flat()
    # Up in the last 0.2 s of each quarter, so the median is still 0.
    for end in (1250, 2500, 3750, 5000):
        signals[:, :, end - 100 : end] = 1
    ink = drawn(signals, layout=layout, size=size)
    wanted = 10 * size / page(layout).height
    for lead in ("I", "aVF", "V2", "V6"):
        rows, columns = cell(lead, layout, size)
        last = ink[rows, columns.stop - 2]
        height = (last * (np.arange(rows.start, rows.stop) + 0.5)).sum() / last.sum()
        assert baseline(lead, layout, size) - height == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [224, 512])
def test_the_pulse_is_as_high_as_a_millivolt_and_as_long_as_a_fifth_of_a_second(
    layout: str, size: int
) -> None:
    made = page(layout)
    picture = blank_page(size, layout, "none")[0]
    for row in made.rows:
        band = slice(round(row.top * size / made.height), round((row.top + row.height) * size / made.height))
        left = slice(int(row.pulse * size / made.width), round(made.strips[0].left * size / made.width))
        down, across = np.nonzero(picture[band, left] < 128)
        assert np.ptp(down) == round(10 * size / made.height)
        assert np.ptp(across) == pytest.approx(5 * size / made.width, abs=1)


@pytest.mark.parametrize(("layout", "second"), [("3x4", 6.0), ("12x1", 1.0)])
@pytest.mark.parametrize("size", [224, 512])
def test_a_spike_in_v1_shows_in_the_cell_of_v1_and_nowhere_else(
    layout: str, second: float, size: int
) -> None:
    spiked = flat()
    spiked[0, STANDARD_LEADS.index("V1"), round(second * RATE)] = 1.2
    changed = drawn(spiked, layout=layout, size=size) != drawn(flat(), layout=layout, size=size)
    rows, columns = cell("V1", layout, size)
    assert changed[rows, columns].sum() >= 1.2 * 10 * size / page(layout).height - 2
    changed[rows, columns] = False
    assert not changed.any()


def test_three_by_four_shows_a_lead_in_its_quarter_only() -> None:
    spiked = flat()
    spiked[0, STANDARD_LEADS.index("V1"), round(1.0 * RATE)] = 1.2
    np.testing.assert_array_equal(drawn(spiked), drawn(flat()))


@pytest.mark.parametrize("rate", [100, 500, 1000])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_spike_is_lost_between_two_columns(rate: int, layout: str) -> None:
    positions = np.append(np.arange(1, 10 * rate - 1, rate // 4 + 1), 10 * rate - 2)
    signals = flat(rate, len(positions))
    signals[np.arange(len(positions)), 1, positions] = 1
    pictures = render(signals, rate, STANDARD_LEADS, layout=layout, grid="none")[:, 0]
    columns = cell("II", layout, 224, row=3 if layout == "3x4" else None)[1]
    made = page(layout)
    row = made.rows[3 if layout == "3x4" else 1]
    # Halfway up, and where the spike is in time.
    y = round((row.baseline - 5) * 224 / made.height)
    for picture, position in zip(pictures, positions, strict=True):
        (found,) = np.nonzero(picture[y, columns] < 100)
        expected = position / (10 * rate) * (columns.stop - columns.start)
        assert len(found)
        assert np.abs(found + 0.5 - expected).min() < 1.1


def test_what_leaves_its_row_is_drawn_on_its_edge() -> None:
    signals = flat()
    signals[0, STANDARD_LEADS.index("V2"), 3000:3100] = 1000
    signals[0, STANDARD_LEADS.index("V2"), 3300:3400] = -1000
    ink = drawn(signals)
    rows, columns = cell("V2", "3x4", 224)
    changed = ink != drawn(flat())
    assert ink[rows.start, columns].max() > 200
    assert ink[rows.stop - 1, columns].max() > 200
    changed[rows, columns] = False
    assert not changed.any()


def test_the_offset_of_electrodes_is_removed() -> None:
    signals = whole_numbers()
    moved = signals + np.arange(12, dtype=np.float32)[:, None] / 4
    np.testing.assert_array_equal(render(moved, RATE, STANDARD_LEADS), render(signals, RATE, STANDARD_LEADS))


@pytest.mark.parametrize(
    ("layout", "size", "step"), [("3x4", 224, 5), ("3x4", 512, 5), ("12x1", 512, 5), ("12x1", 224, 10)]
)
def test_the_grid_has_the_period_of_the_paper(layout: str, size: int, step: float) -> None:
    made = page(layout)
    pink = blank_page(size, layout, "pink").astype(float)
    white = blank_page(size, layout, "none")
    assert set(np.unique(white[:, white.min(axis=0) > 200])) == {255}
    assert (pink[0] >= pink[1]).all()
    for extent, axis in ((made.width, 0), (made.height, 1)):
        profile = np.median(255 - pink[1], axis=axis)
        spectrum = np.abs(np.fft.rfft(profile - profile.mean(), 16 * size))
        frequency = np.argmax(spectrum) / 16 / size
        assert 1 / frequency == pytest.approx(step * size / extent, rel=0.01)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [224, 512])
def test_every_lead_has_its_name_where_the_page_says(layout: str, size: int) -> None:
    made = page(layout)
    picture = blank_page(size, layout, "none")[0] < 128
    for strip in made.strips:
        letters = lettering(strip.lead, size // 224)
        x = round(strip.name[0] * size / made.width)
        y = round(strip.name[1] * size / made.height) - len(letters) // 2
        np.testing.assert_array_equal(picture[y : y + len(letters), x : x + letters.shape[1]], letters)


def test_names_differ() -> None:
    assert len({lettering(lead).tobytes() for lead in STANDARD_LEADS}) == 12


def test_leads_are_found_by_name() -> None:
    signals = whole_numbers()
    order = np.random.default_rng(1).permutation(12)
    shuffled = render(signals[:, order], RATE, [STANDARD_LEADS[i] for i in order])
    np.testing.assert_array_equal(shuffled, render(signals, RATE, STANDARD_LEADS))


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(2)
    signals = rng.normal(0, 0.3, (5, 12, 5000)).astype(np.float32)
    before = signals.copy()
    together = render(signals, RATE, STANDARD_LEADS)
    alone = [render(signals[i : i + 1], RATE, STANDARD_LEADS)[0] for i in range(5)]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(signals, before)


def test_the_end_of_a_short_recording_is_empty() -> None:
    ink = drawn(flat()[:, :, :3000], layout="12x1")
    _, columns = cell("I", "12x1", 224)
    shown = np.nonzero(ink[:, columns].any(axis=0))[0]
    assert shown.max() + 1 == pytest.approx(0.6 * (columns.stop - columns.start), abs=1)


def test_what_is_beyond_ten_seconds_is_not_drawn() -> None:
    signals = whole_numbers()
    long = np.concatenate([signals, signals[:, :, ::-1]], axis=2)
    np.testing.assert_array_equal(render(long, RATE, STANDARD_LEADS), render(signals, RATE, STANDARD_LEADS))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_traces_are_where_pillow_draws_them(layout: str) -> None:
    """Hair lines on a page sixteen times as large by another program; extents column by column."""
    size, times = 448, 16
    named = blank_page(size, layout, "none")[0] < 255
    rng = np.random.default_rng(3)
    smooth = np.cumsum(rng.normal(0, 0.01, (1, 12, 5000)), axis=2)
    smooth -= np.sort(smooth, axis=2)[:, :, 2500, None]
    signals = np.clip(smooth, -1.2, 1.2).astype(np.float32)
    ink = drawn(signals, layout=layout, size=size)
    made = page(layout)
    across, down = times * size / made.width, times * size / made.height
    for strip in made.strips[::3]:
        start, stop = round(strip.start * RATE), round((strip.start + strip.seconds) * RATE) + 1
        samples = signals[0, STANDARD_LEADS.index(strip.lead), start:stop]
        x = (strip.left + np.arange(len(samples)) / RATE * 25) * across
        y = (made.rows[strip.row].baseline - samples * 10) * down
        canvas = Image.new("1", (times * size, times * size))
        ImageDraw.Draw(canvas).line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=1)
        rows, columns = cell(strip.lead, layout, size, strip.row)
        theirs = np.asarray(canvas).reshape(times * size, size, times).any(axis=2)
        nameless = ~named[rows, columns].any(axis=0)
        for column in np.nonzero(nameless)[0][1:-1] + columns.start:
            (line,) = np.nonzero(theirs[:, column])
            mine = ink[rows, column]
            (inked,) = np.nonzero(mine)
            top = rows.start + inked[0] + 1 - mine[inked[0]] / FULL
            bottom = rows.start + inked[-1] + mine[inked[-1]] / FULL
            assert top == pytest.approx(line[0] / times - THICKNESS / 2, abs=0.3)
            assert bottom == pytest.approx((line[-1] + 1) / times + THICKNESS / 2, abs=0.3)


def test_real_recordings_have_a_trace_in_every_cell(shared: Any) -> None:
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    records = [cohort.read(str(name)).to_recording() for name in cohort.index()["record_id"][:8]]
    signals = np.stack([select_leads(record).signal for record in records])
    for layout in LAYOUTS:
        for at in range(len(signals)):
            ink = drawn(signals[at : at + 1], layout=layout)
            for lead in STANDARD_LEADS:
                assert (ink[cell(lead, layout, 224)].max(axis=0) > 60).mean() > 0.9


@pytest.mark.parametrize("size", [0, 223, 513])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ModelError, match=rf"224 to 512 pixels a side, not {size}\."):
        render(flat(), RATE, STANDARD_LEADS, size=size)


def test_a_missing_lead_is_named() -> None:
    with pytest.raises(ModelError, match="V6 is not among I, II"):
        render(flat()[:, :11], RATE, STANDARD_LEADS[:11])


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Unknown layout"):
        render(flat(), RATE, STANDARD_LEADS, layout="4x3")
    with pytest.raises(UnknownNameError, match="Unknown grid"):
        render(flat(), RATE, STANDARD_LEADS, grid="green")
