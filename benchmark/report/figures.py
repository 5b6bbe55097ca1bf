"""What all figures share: style, labels, and files that are the same bytes on every run.

Figures are made through matplotlib's objects, not through pyplot: no display and no state.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK = "#1b1f24"
FAINT = "#6b7280"
RULE = "#d0d5dc"
FONT = 8.5

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a6761d", "#56b4e9", "#4d4d4d")
"""After Okabe and Ito (2008), distinct with a colour vision deficiency; its yellow is too faint on white."""

PIXELS = 30_000
"""Longest side of a PNG: Agg refuses 65,536, and browsers give up before."""

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


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure as SVG and PNG, with what it shows in words."""

    name: str
    alt: str
    svg: str
    png: bytes


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
    with _style():
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
def _style() -> Iterator[None]:
    """Start from matplotlib's defaults, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def inline_svg(picture: Picture) -> str:
    """SVG element for an HTML page: no XML declaration, and ids that no other picture has.

    Safe to insert as it is: matplotlib escapes ``<``, ``>`` and ``&`` in text, so a tag is a tag.
    """
    svg = picture.svg[picture.svg.index("<svg") :]

    def own_ids(tag: re.Match[str]) -> str:
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{picture.name}-", tag[0])

    return _lean(re.sub(r"<[^<>]+>", own_ids, svg).strip(), picture.name)


def _lean(svg: str, name: str) -> str:
    """Say once what a thousand texts have in common, without which a page of many models is too large."""
    svg = re.sub(r'<g id="[\w-]*text_\d+">\s*(<text[^<>]*>[^<>]*</text>)\s*</g>', r"\1", svg)
    often = [
        style for style, times in Counter(re.findall(r'<text style="([^"<>]+)"', svg)).items() if times > 9
    ]
    for at, style in enumerate(often):
        svg = svg.replace(f'<text style="{style}"', f'<text class="{name}-{at}"')
    svg = re.sub(r"(?<=>)\s*\n\s*(?=<)", "", svg)
    rules = "".join(f".{name}-{at}{{{style}}}" for at, style in enumerate(often))
    return re.sub(r"(?<=<svg)([^<>]*>)", rf"\1<style>{rules}</style>", svg, count=1) if rules else svg


def inches(texts: Iterable[str], size: float, weight: str = "normal") -> float:
    """Width of the widest text at a font size in points; call it with the style in force."""
    font = FontProperties(size=size, weight=weight)
    paths = (TextPath((0, 0), text, prop=font) for text in texts if text.strip())
    return max((float(path.get_extents().x1) / 72 for path in paths), default=0.0)


def label(text: str, longest: int = 40) -> str:
    r"""Shorten text to what a figure can show: printable ASCII, since no font has everything.

    Examples
    --------
    >>> label("ptb-xl"), label("AF\n\u5fc3", 4), label("x" * 9, 5)
    ('ptb-xl', 'AF ?', 'xx...')
    """
    shown = "".join(c if c.isprintable() and c.isascii() else " " if c.isspace() else "?" for c in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."
