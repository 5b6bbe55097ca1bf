"""The sheet for people: a ruler laid on it reads what the recording holds."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from benchmark.report.ecg_sheet import PAPER, sheet
from benchmark.report.style import WARNING
from cohorts.errors import RecordError, UnknownNameError
from cohorts.paper import LAYOUTS, page
from cohorts.recording import STANDARD_LEADS, Recording

SVG = "{http://www.w3.org/2000/svg}"
MM = 72 / 25.4  # points, the unit of matplotlib's SVG


def recording(signal: npt.NDArray[Any] | None = None, leads: tuple[str, ...] = STANDARD_LEADS) -> Recording:
    made = np.zeros((len(leads), 5000)) if signal is None else signal
    return Recording(made.astype(np.float32), 500.0, leads)


def words(svg: str) -> list[str]:
    return ["".join(node.itertext()).strip() for node in ET.fromstring(svg).iter(f"{SVG}text")]


def curves(svg: str) -> list[npt.NDArray[np.float64]]:
    """Points of the traces, in mm from the left and from the top of the paper."""
    found = []
    for group in ET.fromstring(svg).iter(f"{SVG}g"):
        if group.get("id", "").startswith("line2d"):
            text = "".join(path.get("d", "") for path in group.iter(f"{SVG}path"))
            points = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", text)
            found.append(np.array(points, dtype=float).reshape(-1, 2) / MM)
    return found


def margins(layout: str) -> tuple[float, float]:
    """Left and upper edge of the grid on the paper, mm, from where the first trace begins."""
    svg = sheet(recording(), "x", layout=layout).svg
    first = curves(svg)[0][0]
    strip = page(layout).strips[0]
    return first[0] - strip.left, first[1] - page(layout).rows[0].baseline


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_paper_has_its_size(layout: str) -> None:
    picture = sheet(recording(), "A recording", layout=layout)
    root = ET.fromstring(picture.svg)
    size = [float(root.get(side, "").removesuffix("pt")) / MM for side in ("width", "height")]
    assert size == pytest.approx(PAPER[layout], abs=0.01)
    pixels = Image.open(io.BytesIO(picture.png)).size
    assert pixels == pytest.approx([side / 25.4 * 150 for side in PAPER[layout]], abs=1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_grid_is_centred_on_the_paper(layout: str) -> None:
    left, top = margins(layout)
    made = page(layout)
    assert 2 * left + made.width == pytest.approx(PAPER[layout][0], abs=0.02)
    assert top > 14
    assert top + made.height < PAPER[layout][1] - 5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_ruler_reads_millivolts_and_seconds(layout: str) -> None:
    rng = np.random.default_rng(7)
    signal = rng.normal(0, 0.4, (12, 1000))
    some = Recording(signal.astype(np.float32), 100.0, STANDARD_LEADS)
    left, top = margins(layout)
    made = page(layout)
    for strip, curve in zip(made.strips, curves(sheet(some, "x", layout=layout).svg), strict=True):
        lead = signal[STANDARD_LEADS.index(strip.lead)].astype(np.float32).astype(float)
        start = round(strip.start * 100)
        shown = lead[start : start + round(strip.seconds * 100) + 1]
        assert len(curve) == len(shown)
        np.testing.assert_allclose(np.diff(curve[:, 0]), 25 / 100, atol=1e-3)
        assert curve[0, 0] - left == pytest.approx(strip.left, abs=0.01)
        read = (made.rows[strip.row].baseline - (curve[:, 1] - top)) / 10
        np.testing.assert_allclose(read, shown - np.median(lead), atol=1e-3)


def test_words_of_a_sheet() -> None:
    picture = sheet(recording(), "PTB-XL 28", note="AF, LVH", name="one")
    found = words(picture.svg)
    assert found.count("II") == 2
    assert all(found.count(lead) == 1 for lead in STANDARD_LEADS if lead != "II")
    assert {"PTB-XL 28", "AF, LVH"} < set(found)
    assert any("25 mm/s" in text and "10 mm/mV" in text and "500 Hz" in text for text in found)
    assert picture.name == "one"
    assert "PTB-XL 28" in picture.alt
    assert WARNING not in found


def test_nobody_mistakes_a_simulated_recording_for_a_patient() -> None:
    picture = sheet(recording(), "x", simulated=True)
    assert WARNING in words(picture.svg)
    assert WARNING in picture.alt


def test_the_same_sheet_has_the_same_bytes() -> None:
    assert sheet(recording(), "x") == sheet(recording(), "x")


def test_missing_samples_are_gaps() -> None:
    signal = np.zeros((12, 5000))
    signal[0, 500:600] = np.nan
    signal[7] = np.nan
    traces = curves(sheet(recording(signal), "x").svg)
    lengths = [len(curve) for curve in traces]
    assert lengths[0] == 1251 - 100
    assert [strip.lead for strip, n in zip(page("3x4").strips, lengths, strict=True) if not n] == ["V2"]


def test_derived_limb_leads_are_drawn() -> None:
    keep = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    assert len(curves(sheet(recording(None, keep), "x").svg)) == 13
    with pytest.raises(RecordError, match="V6"):
        sheet(recording(None, keep[:-1]), "x")


def test_hostile_titles_are_text() -> None:
    found = words(sheet(recording(), '<script>"&$x_1$' + "\u5fc3" * 3, note="y" * 1000).svg)
    assert '<script>"&$x_1$???' in found
    assert max(map(len, found)) == 150


def test_a_short_recording_ends_early() -> None:
    traces = curves(sheet(Recording(np.zeros((12, 600), np.float32), 100.0, STANDARD_LEADS), "x").svg)
    assert len(traces[-1]) == 600
    assert [strip.lead for strip, c in zip(page("3x4").strips, traces, strict=True) if not len(c)] == [
        "V4",
        "V5",
        "V6",
    ]
    with pytest.raises(UnknownNameError, match="Unknown layout"):
        sheet(recording(), "x", layout="6x2")
