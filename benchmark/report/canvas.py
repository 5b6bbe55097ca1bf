"""A sheet for figures of thousands of numbers, written as SVG and drawn as PNG in the same breath.

matplotlib lays every text out as an object of its own, which for the heat map of a whole leaderboard takes
most of the time of its report. Here a text is a line of SVG and a paste of a picture that is kept.
Everything is measured in points (1/72 inch) from the top left corner.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw, ImageFont, _imaging

from benchmark.report.style import FONT, INK, PIXELS, Picture

Anchor = Literal["start", "middle", "end"]
Shape = Literal["circle", "square", "diamond"]
Segment = tuple[float, float, float, float]
"""From x, y to x, y."""

DPI = 150
MIDDLE = 0.365
"""From the baseline to the middle of a capital letter, of the font size."""

FINER = 4
"""Markers are drawn so many times larger and reduced, for smooth edges."""

_imaging.set_block_size(2**26)
"""Bytes that a picture's memory is taken in: blocks of more than 32 MiB go back to the system with it."""


class Look(NamedTuple):
    """How a text is set."""

    size: float = FONT
    colour: str = INK
    bold: bool = False
    anchor: Anchor = "start"
    upwards: bool = False


PLAIN = Look()


def width_of(texts: Iterable[str], size: float = FONT, *, bold: bool = False) -> float:
    """Width of the widest text, in points."""
    font = _font(100.0, bold)
    return max((font.getlength(text) * size / 100 for text in texts), default=0.0)


class Canvas:
    """One figure in the making.

    Parameters
    ----------
    name
        Of the figure; sets the classes of its texts apart from those of other figures in one page.
    alt
        What it shows, for those who cannot see it.
    width, height
        In points.
    """

    def __init__(self, name: str, alt: str, width: float, height: float) -> None:
        self._name, self._alt, self._size = name, alt, (width, height)
        self._scale = min(DPI / 72, PIXELS / max(width, height))
        pixels = (max(1, round(width * self._scale)), max(1, round(height * self._scale)))
        self._image = Image.new("RGB", pixels, "white")
        self._pen = ImageDraw.Draw(self._image)
        self._pieces: list[str] = []
        self._looks: dict[Look, str] = {}
        self._kept: dict[tuple[str, float, bool, bool], tuple[Image.Image, int]] = {}

    def text(self, x: float, y: float, text: str, look: Look = PLAIN) -> None:
        """Write a line of text; ``y`` is the middle of its capitals, or ``x`` where it runs upwards."""
        drop = MIDDLE * look.size
        x, y = (x + drop, y) if look.upwards else (x, y + drop)
        name = self._looks.setdefault(look, f"{self._name}-{len(self._looks)}")
        turned = f' transform="rotate(-90 {x:.6g} {y:.6g})"' if look.upwards else ""
        self._pieces.append(
            f'<text class="{name}" x="{x:.6g}" y="{y:.6g}"{turned}>{escape(text, quote=False)}</text>'
        )
        if not text.strip():
            return
        mask, baseline = self._mask(text, look)
        along = mask.height if look.upwards else mask.width
        before = {"start": 0.0, "middle": along / 2, "end": float(along)}[look.anchor]
        if look.upwards:
            corner = (round(x * self._scale) - baseline, round(y * self._scale - along + before))
        else:
            corner = (round(x * self._scale - before), round(y * self._scale) - baseline)
        self._image.paste(look.colour, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self.cells(x, y, width, height, {(0, 0): colour})

    def cells(
        self, x: float, y: float, width: float, height: float, colours: Mapping[tuple[int, int], str]
    ) -> None:
        """Fill cells of a grid, ``(row, column)`` -> colour; one path for all cells of a colour."""
        of_colour: dict[str, list[str]] = {}
        for (row, column), colour in colours.items():
            left, top = x + column * width, y + row * height
            of_colour.setdefault(colour, []).append(
                f"M{left:.6g} {top:.6g}h{width:.6g}v{height:.6g}h-{width:.6g}z"
            )
            ends = [round(end * self._scale) for end in (left, top, left + width, top + height)]
            self._pen.rectangle((ends[0], ends[1], ends[2] - 1, ends[3] - 1), fill=colour)
        for colour, squares in of_colour.items():
            self._pieces.append(f'<path fill="{colour}" d="{"".join(squares)}"/>')

    def lines(
        self,
        segments: Iterable[Segment],
        colour: str,
        width: float = 0.5,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """Draw straight lines; ``dash`` is ink and gap."""
        segments = list(segments)
        if not segments:
            return
        path = "".join(f"M{x:.6g} {y:.6g}L{to_x:.6g} {to_y:.6g}" for x, y, to_x, to_y in segments)
        dashes = f' stroke-dasharray="{dash[0]:g} {dash[1]:g}"' if dash else ""
        self._pieces.append(
            f'<path fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes} d="{path}"/>'
        )
        pixels = max(1, round(width * self._scale))
        for segment in segments:
            for part in _dashed(segment, dash) if dash else (segment,):
                self._pen.line([round(end * self._scale) for end in part], fill=colour, width=pixels)

    def marker(self, x: float, y: float, shape: Shape, face: str, edge: str, size: float = 5.5) -> None:
        """Draw a marker whose middle is at a point, with an edge of 1.4 points."""
        half = size / 2
        corners = {
            "square": [(-half, -half), (half, -half), (half, half), (-half, half)],
            "diamond": [(0.0, -1.41 * half), (1.41 * half, 0.0), (0.0, 1.41 * half), (-1.41 * half, 0.0)],
        }
        style = f'fill="{face}" stroke="{edge}" stroke-width="1.4"'
        if shape == "circle":
            self._pieces.append(f'<circle cx="{x:.6g}" cy="{y:.6g}" r="{half:g}" {style}/>')
        else:
            path = "L".join(f"{x + dx:.6g} {y + dy:.6g}" for dx, dy in corners[shape])
            self._pieces.append(f'<path d="M{path}z" {style}/>')
        picture = _marker(shape, face, edge, size, self._scale)
        corner = (round(x * self._scale - picture.width / 2), round(y * self._scale - picture.height / 2))
        self._image.paste(picture, corner, picture)

    def picture(self) -> Picture:
        """Give both files."""
        width, height = self._size
        png = io.BytesIO()
        self._image.save(png, "png", compress_level=3)  # 6 takes half as long again for 6 % less
        rules = "".join(f".{name}{{{_css(look)}}}" for look, name in self._looks.items())
        svg = (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.6g}pt" height="{height:.6g}pt" '
            f'viewBox="0 0 {width:.6g} {height:.6g}"><title>{escape(self._alt, quote=False)}</title>'
            f'<style>{rules}</style><path fill="#fff" d="M0 0h{width:.6g}v{height:.6g}h-{width:.6g}z"/>\n'
            + "\n".join(self._pieces)
            + "</svg>\n"
        )
        return Picture(self._name, self._alt, svg, png.getvalue())

    def _mask(self, text: str, look: Look) -> tuple[Image.Image, int]:
        """Give the ink of a text and its baseline, from the top, or from the left where it runs upwards."""
        key = (text, look.size, look.bold, look.upwards)
        if key not in self._kept:
            font = _font(look.size * self._scale, look.bold)
            above, below = font.getmetrics()
            mask = Image.new("L", (max(1, round(font.getlength(text))), above + below), 0)
            ImageDraw.Draw(mask).text((0, above), text, fill=255, font=font, anchor="ls")
            self._kept[key] = (mask.transpose(Image.Transpose.ROTATE_90) if look.upwards else mask), above
        return self._kept[key]


def hatching(x: float, y: float, width: float, height: float, apart: float = 5) -> list[Segment]:
    """Give lines that fill a rectangle, rising to the right."""
    count = int((width + height) / apart)
    sums = [apart * (at + 0.5) for at in range(count)]
    return [
        (x + max(0.0, s - height), y + min(s, height), x + min(s, width), y + max(0.0, s - width))
        for s in sums
    ]


@cache
def _font(size: float, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings along, not imported: the same letters on every machine."""
    found = find_spec("matplotlib")
    folder = Path(found.origin if found and found.origin else "").parent / "mpl-data" / "fonts" / "ttf"
    path = folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _marker(shape: Shape, face: str, edge: str, size: float, scale: float) -> Image.Image:
    ink = 1.4 * FINER * scale
    half = size / 2 * FINER * scale
    across = 2 * FINER * round(1.41 * size / 2 * scale + 1.4 * scale + 1)
    picture = Image.new("RGBA", (across, across), edge + "00")
    pen, middle = ImageDraw.Draw(picture), across / 2
    for reach, colour in ((half + ink / 2, edge), (half - ink / 2, face)):
        box = (middle - reach, middle - reach, middle + reach, middle + reach)
        if shape == "circle":
            pen.ellipse(box, fill=colour)
        elif shape == "square":
            pen.rectangle(box, fill=colour)
        else:
            far = 1.41 * reach
            pen.polygon(
                [
                    (middle, middle - far),
                    (middle + far, middle),
                    (middle, middle + far),
                    (middle - far, middle),
                ],
                fill=colour,
            )
    return picture.resize((across // FINER, across // FINER), Image.Resampling.LANCZOS)


def _dashed(segment: Segment, dash: tuple[float, float]) -> Iterable[Segment]:
    x, y, to_x, to_y = segment
    length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    at = 0.0
    while at < length:
        here, there = at / length, min(1.0, (at + dash[0]) / length)
        yield (x + here * (to_x - x), y + here * (to_y - y), x + there * (to_x - x), y + there * (to_y - y))
        at += sum(dash)


def _css(look: Look) -> str:
    weight = "bold " if look.bold else ""
    anchor = "" if look.anchor == "start" else f";text-anchor:{look.anchor}"
    return f"font:{weight}{look.size:g}px 'DejaVu Sans',sans-serif;fill:{look.colour}{anchor}"
