"""The page itself: one file that needs nothing else and asks nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from jinja2 import Template
from markupsafe import Markup

from benchmark.exchange.joining import Joined
from benchmark.report import cell_tables, facts, model_facts, model_tables, self_reported, tables
from benchmark.report import statistics_tables as comparisons
from benchmark.report.board import Board, Entry
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.fits import FITS_WORDS, fits_table
from benchmark.report.kept import EVERY_FILE, Kept
from benchmark.report.leaderboard_table import SIMULATED, leaderboard_table, ranking_rules
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.mistakes.pages import FOLDER, NOT_KEPT, NOWHERE
from benchmark.report.page.data import page_data
from benchmark.report.page.details import MOST
from benchmark.report.page.headline import headline
from benchmark.report.page.later import Later
from benchmark.report.page.views import view_data
from benchmark.report.page.written import written
from benchmark.report.reported import REPORTED_WORDS, reported_table
from benchmark.report.sets import SetBoard
from benchmark.report.style import Picture, inline_svg
from benchmark.report.tables import Table
from benchmark.report.templating import digest, templates
from benchmark.report.unseen import UNSEEN_WORDS, unseen_table
from benchmark.text import visible

STYLES = ("tokens.css", "page.css", "matrix.css", "views.css", "plot.css", "narrow.css")

SCRIPTS = (
    "dom.js",
    "format.js",
    "columns.js",
    "data.js",
    "grids.js",
    "address.js",
    "tip.js",
    "narrow.js",
    "ranked.js",
    "tables.js",
    "grid.js",
    "forest.js",
    "rows.js",
    "choices.js",
    "matrix.js",
    "views.js",
    "plot.js",
    "curves.js",
    "people.js",
    "spread.js",
    "heat.js",
    "model.js",
    "cohort.js",
    "concept.js",
    "compare.js",
    "shorten.js",
    "start.js",
)
"""Put together in this order, in one scope: a file may use what an earlier one defines."""


def as_html(
    joined: Joined,
    boards: Sequence[Board],
    others: Sequence[Board],
    found: Sequence[BoardStatistics],
    by_set: Sequence[SetBoard],
    pictures: Sequence[Picture],
    curves: MeasuredCurves,
    told: Sequence[tuple[Table, bool]] = (),
    mistakes: Mapping[Entry, str] = MappingProxyType({}),
    kept: Kept = EVERY_FILE,
) -> str:
    """One self-contained page: no network, no script but its own.

    Parameters
    ----------
    boards, others
        Within the sets that were asked for: by the metric that is shown first, and by the other.
    found
        Statistics of ``boards``.
    by_set
        Every ranking, by either metric; those of ``boards`` and ``others`` come first.
    kept
        The files that lie beside the page: it has links to no others.
    curves
        Of the concepts that have details.
    """
    # Style and scripts are this project's own files; the policy lets the browser use these and no others.
    style = "\n".join(map(_static, STYLES))
    script = '(async () => {\n"use strict";\n' + "\n".join(map(_static, SCRIPTS)) + "\n})();\n"
    later = Later([record for board in boards for record in board.records])
    with ThreadPoolExecutor(1) as beside:  # half of a view's time is in resamples, without the interpreter
        views = beside.submit(view_data, boards, found, mistakes, curves)
        content = page_data(joined.plan.name, boards, found, by_set)
        shown = _template().render(
            run=joined.plan,
            records=joined.records,
            joined=joined,
            sources=joined.sources,
            told=told,
            mistakes=mistakes,
            no_mistakes=NOWHERE if FOLDER in kept else NOT_KEPT,
            kept=kept,
            beside=_beside([p.name for p in pictures], kept),
            self_reported=self_reported,
            boards=boards,
            others=others,
            found=found,
            leaderboard_table=leaderboard_table,
            comparisons=comparisons,
            cell_tables=cell_tables,
            figures={p.name: {"alt": p.alt, "svg": Markup(inline_svg(p))} for p in pictures},  # noqa: S704
            facts=facts,
            model_facts=model_facts,
            model_tables=model_tables,
            fits=fits_table(joined.records),
            fits_words=FITS_WORDS,
            ages=model_tables.age_table(joined.records),
            rounding=model_tables.rounding_table(joined.records),
            tables=tables,
            later=later,
            said=_Said(),
            headline=headline(joined, boards),
            ranking_rules=ranking_rules,
            unseen=unseen_table(joined.records),
            reported=reported_table(),
            reported_words=REPORTED_WORDS,
            unseen_words=UNSEEN_WORDS,
            simulated=SIMULATED if _any_simulated(joined) else "",
            style=Markup(style),  # noqa: S704
            style_digest=digest(style),
            script=Markup(script),  # noqa: S704
            script_digest=digest(script),
            numbers=NUMBERS,
        )
    content |= views.result()
    before, _, after = shown.partition(NUMBERS)
    return before + written(content, later.tables, MOST - len((before + after).encode())) + after


NUMBERS = Markup("<numbers/>\n")
"""Where the numbers will stand; in what others wrote, signs like these are escaped."""


def _beside(figures: Sequence[str], kept: Kept) -> dict[str, list[str]]:
    """Files beside the page by what is in them; what is not kept is left out."""
    files = {
        "all numbers, in full precision": ["leaderboard.csv", "leaderboard.json"],
        "as text": ["leaderboard.md"],
        "figures": [f"figures/{name}.{form}" for name in figures for form in ("svg", "png")],
    }
    there = {what: [name for name in names if name in kept] for what, names in files.items()}
    return {what: names for what, names in there.items() if names}


@cache
def _template() -> Template:
    """The page's template, compiled once a process: a run makes its page again and again."""
    environment = templates("page/templates")
    environment.filters["whole_intervals"] = _whole_intervals
    return environment.get_template("page.html.j2")


class _Said:
    """Sentences that stand on the page already; one as short as what would point to it is said again."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def new(self, sentences: Sequence[str]) -> list[str]:
        """Give those that do not, and note them."""
        found = [sentence for sentence in sentences if len(sentence) < 80 or sentence not in self._said]
        self._said.update(found)
        return found


def _static(name: str) -> str:
    return (files("benchmark.report.page") / "static" / name).read_text("utf-8")


def _whole_intervals(text: str) -> Markup:
    """Text in which what stands in brackets is marked, not to be broken over two lines if there is room."""
    parts = re.split(r"(\[[^\]]*\])", visible(text, " "))
    return Markup("").join(
        Markup('<span class="ends">{}</span>').format(part) if at % 2 else part
        for at, part in enumerate(parts)
    )


def _any_simulated(joined: Joined) -> bool:
    told = (one.cell.cohort.simulated for one in joined.told)
    return any(record.cohort.simulated for record in joined.records) or any(told)
