"""Figures for a paper: at the width of a column or a page, as SVG, PDF and PNG."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmark.report.figures import style

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

FigureFormat = Literal["svg", "pdf", "png"]

WIDTHS = {"column": 85.0, "page": 178.0}
"""Millimetres, as most journals have them."""

INCH = 25.4
DPI = 600
SMALL, SMALLER = 7.0, 6.0
"""Points: sizes of letters that journals still take."""

_STYLE: dict[RcKeyType, Any] = {
    "font.size": SMALL,
    "axes.linewidth": 0.5,
    "lines.linewidth": 1.0,
    "pdf.fonttype": 42,  # letters stay letters that journals can edit
}


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """A figure that is yet to be drawn.

    Attributes
    ----------
    name
        Of the file, without its ending.
    caption
        All that a reader must know beside it.
    build
        Draws it; called with the style in force.
    """

    name: str
    caption: str
    build: Callable[[], Figure]

    def render(self, form: FigureFormat) -> bytes:
        """Give the file; the same figure gives the same bytes."""
        nothing: dict[str, dict[str, str | None]] = {
            "svg": {"Date": None, "Creator": None, "Title": self.caption},
            "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
            "png": {"Software": None},
        }
        with style(_STYLE):
            figure = self.build()
            FigureCanvasAgg(figure)
            file = io.BytesIO()
            figure.savefig(file, format=form, dpi=DPI, metadata=nothing[form])
        return file.getvalue()
