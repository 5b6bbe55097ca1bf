"""Figures of curves through matplotlib: one style, and files that are the same bytes on every run.

They are made through matplotlib's objects, not through pyplot: no display and no state.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.report.style import FAINT, FONT, INK, PIXELS, RULE, Picture

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

_STYLE: dict[RcKeyType, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT,
    "text.color": INK,
    "text.parse_math": False,  # a '$' in a name is a '$'
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "svg.fonttype": "none",  # text stays text: searchable, and a smaller page
    "svg.hashsalt": "leadboard",
    "path.simplify": False,
}


def draw(name: str, alt: str, figure: Callable[[], Figure]) -> Picture:
    """Build a figure in the report's style and render it.

    Parameters
    ----------
    name
        Of the files; also keeps ids apart where several SVGs are put into one page.
    alt
        What the figure shows, for those who cannot see it.
    figure
        Builds it; called with the style in force.
    """
    with style():
        built = figure()
        FigureCanvasAgg(built)
        dpi = min(150.0, PIXELS / max(built.get_size_inches()))
        svg, png = io.BytesIO(), io.BytesIO()
        built.savefig(svg, format="svg", dpi=150, metadata={"Date": None, "Creator": None, "Title": alt})
        built.savefig(png, format="png", dpi=dpi, metadata={"Software": None})
    # Every text carries a rotation by nothing, a fifth of the file where there are many numbers.
    lean = re.sub(r' transform="rotate\(-0 [\d. -]+\)"', "", svg.getvalue().decode())
    return Picture(name, alt, lean, png.getvalue())


@contextmanager
def style(changes: Mapping[RcKeyType, Any] = MappingProxyType({})) -> Iterator[None]:
    """Start from matplotlib's defaults, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, **changes})
        yield
