"""The two figures: what they say, in text that a reader can find in the SVG."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

from benchmark.records.record import ResultRecord
from benchmark.report.forest import forest
from benchmark.report.heatmap import COLOURS, SHADES, heatmap, shade_of
from benchmark.report.ranking import make_boards
from benchmark.report.style import Picture, label
from tests.benchmark.report.report_factory import concept, record, run_file

SVG = "{http://www.w3.org/2000/svg}"


def words(picture: Picture) -> Counter[str]:
    """Texts of a figure with the number of times that each is there."""
    return Counter("".join(node.itertext()).strip() for node in ET.fromstring(picture.svg).iter(f"{SVG}text"))


def draw(figure: object, records: list[ResultRecord]) -> Picture:
    return figure(make_boards(run_file(records), records))  # type: ignore[operator,no-any-return]


def pixels(picture: Picture) -> tuple[int, int]:
    width, height = picture.png[16:20], picture.png[20:24]
    return int.from_bytes(width), int.from_bytes(height)


def test_forest_names_cohorts_models_numbers_and_sizes() -> None:
    found = words(
        draw(
            forest,
            [
                record("net", "ptb-xl", {"AF": 0.95}, relation="internal"),
                record("net", "georgia", {"AF": 0.9, "LBBB": 0.8}),
                record("plugin", "georgia", {"AF": 0.7, "LBBB": 0.7}, relation="unknown"),
                record("net", "incart", {"AF": concept(0.9, positives=2)}),
            ],
        )
    )
    assert found["ptb-xl"] == found["georgia"] == found["incart"] == 1
    assert found["net · internal"] == found["plugin · unknown"] == 1
    assert found["net"] == 2
    assert found["0.950 [0.930, 0.970]"] == found["0.850 [0.830, 0.870]"] == 1
    assert found["2 concepts, n 100"] == 2
    assert found["1 concept, n 100"] == 1
    assert found["\N{EN DASH}  too few positives"] == 1
    assert found["0.5: chance"] == 1


def test_heat_map_tells_eligible_ineligible_undefined_and_absent_apart() -> None:
    found = words(
        draw(
            heatmap,
            [
                record(
                    "net",
                    "georgia",
                    {
                        "AF": 0.873,
                        "WPW": concept(0.652, positives=9),
                        "SB": concept(None, positives=0),
                        "PR": concept(None, positives=0, n=0),
                    },
                ),
                record("net", "ptb-xl", {"AF": 0.998, "SB": 0.25}, relation="internal"),
            ],
        )
    )
    assert found[".87"] == found["(.65)"] == found["1.0"] == found[".25"] == 1
    assert found["\N{EN DASH}"] == 1
    assert found["AF"] == found["WPW"] == found["SB"] == 1
    assert "PR" not in found
    assert found["1 concept without any defined AUROC not drawn"] == 1
    assert found["georgia"] == found["ptb-xl · internal"] == 1


def test_colours_are_those_of_matplotlib_and_centred_on_chance() -> None:
    known = mpl.colormaps["RdBu"].resampled(SHADES)
    assert [shade_of(step)[0] for step in range(SHADES)] == [to_hex(known(step)) for step in range(SHADES)]
    assert min(COLOURS[len(COLOURS) // 2]) > 0.95 * 255
    assert COLOURS[1][0] > COLOURS[1][2]
    assert COLOURS[-2][2] > COLOURS[-2][0]
    assert [shade_of(step)[1] for step in (0, SHADES // 2, SHADES - 1)] == [True, False, True]


@pytest.mark.parametrize("figure", [forest, heatmap])
def test_nothing_to_draw(figure: object) -> None:
    assert words(draw(figure, []))["No finished cell"] == 1


def test_everything_undefined_is_drawn_as_dashes() -> None:
    found = words(draw(heatmap, [record(aurocs={"AF": None, "SB": None})]))
    assert found["\N{EN DASH}"] == 2
    assert found["AF"] == 1


def test_heat_map_of_a_model_without_any_concept() -> None:
    assert words(draw(heatmap, [record(aurocs={})]))["No concept was evaluated"] == 1


def test_many_models_wrap_instead_of_widening() -> None:
    records = [record(f"net{at}", f"cohort{c}") for at in range(12) for c in range(8)]
    width, height = pixels(draw(heatmap, records))
    few = pixels(draw(heatmap, records[: 4 * 8]))
    assert width == few[0] < 2400
    assert height > 2 * few[1]


def test_figures_do_not_depend_on_the_users_settings() -> None:
    records = [record()]
    before = draw(forest, records)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.fonttype": "path"}):
        assert draw(forest, records) == before
        assert mpl.rcParams["font.size"] == 30


def test_report_does_not_import_pyplot() -> None:
    code = "import sys, benchmark.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_label_is_printable_and_short() -> None:
    assert label("心電図\x00") == "????"
    assert label("a\tb") == "a b"
    assert label("x" * 50) == "x" * 37 + "..."
