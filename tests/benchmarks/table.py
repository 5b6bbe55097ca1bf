"""The one table of ``make bench``: what, ours, what a user would do instead, the limit, met or missed."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

Figure = float | str

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
COLUMNS = ("what", "ours", "instead", "limit", "met")


def written(figure: Figure, unit: str = "") -> str:
    """Three digits at least, thousands set apart.

    Examples
    --------
    >>> written(12345.6, "records/s"), written(0.01234, "s"), written("not installed", "s")
    ('12,346 records/s', '0.0123 s', 'not installed')
    """
    if isinstance(figure, str):
        return figure
    number = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return f"{number} {unit}".rstrip()


@dataclass(frozen=True)
class Row:
    """One thing that was measured.

    Attributes
    ----------
    what
        With its size, and how it was measured where that is not on the clock.
    ours, unit
        The figure.
    instead
        What a user would do instead, and its figure in the same unit, measured in the same run; or why there
        is none.
    at_least, at_most
        The limit.
    """

    what: str
    ours: float
    unit: str = ""
    instead: Mapping[str, Figure] | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def missed(self) -> bool:
        low, high = self.at_least, self.at_most
        return not ((low is None or self.ours >= low) and (high is None or self.ours <= high))

    @property
    def cells(self) -> tuple[str, ...]:
        instead = "; ".join(f"{name} {written(figure)}" for name, figure in (self.instead or {}).items())
        limits = (("≥", self.at_least), ("≤", self.at_most))
        limit = ", ".join(f"{sign} {written(number)}" for sign, number in limits if number is not None)
        met = ("**missed**" if self.missed else "met") if limit else "–"
        return self.what, written(self.ours, self.unit), instead or "–", limit or "–", met


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def machine(load: float) -> str:
    """Say what was measured on.

    Parameters
    ----------
    load
        Programs that wanted a processor before anything was measured.
    """
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    threads = os.environ.get("OMP_NUM_THREADS")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "torch"))
    return (
        f"{os.cpu_count()} processors ({model or platform.machine()}), Python {platform.python_version()}, "
        f"{libraries}{f', OMP_NUM_THREADS={threads}' if threads else ''}; load before: {load:.1f}."
    )


def save(text: str, path: Path) -> None:
    """Write the table, between the two marks of a page that has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}" if begin and end else text, encoding="utf-8")
