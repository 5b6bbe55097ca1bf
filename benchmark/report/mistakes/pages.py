"""Pages beside the leaderboard, one for each model, with its most confident mistakes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from jinja2 import Template
from markupsafe import Markup

from benchmark.exchange.joining import Joined
from benchmark.report.board import Entry, entry_of
from benchmark.report.measured_curves import MeasuredCurves
from benchmark.report.mistakes.choosing import Found, Mistake, find_mistakes, why_not_shown
from benchmark.report.mistakes.drawing import grid, sheet
from benchmark.report.style import WARNING
from benchmark.report.templating import digest, templates
from benchmark.text import one_line, printable, visible
from cohorts.counts import plural
from cohorts.ontology.ontology import load_ontology
from cohorts.store import Stores

FOLDER = "mistakes"
NOWHERE = (
    "Mistakes are drawn from the recordings: none of the open external cohorts was on this machine as it was "
    "measured when the page was made, or the model made no confident mistake there."
)
"""What stands in place of the link where a model has no such page."""

NOT_KEPT = "They are not kept beside this page; 'leadboard report' draws them from the recordings."
"""The same, where no such page is wanted."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def mistake_pages(
    joined: Joined, stores: Stores | None, curves: MeasuredCurves
) -> dict[Entry, tuple[str, str]]:
    """Give the path, beside the leaderboard, and the HTML for each entry that has mistakes to be shown.

    Parameters
    ----------
    stores
        None where no release is at hand; then there are no pages.
    curves
        What else needs the predictions of a cell, so that it has them while they are in memory.
    """
    found: dict[Entry, tuple[str, str]] = {}
    if stores is None:
        return found
    entries = dict.fromkeys(entry_of(record) for record in joined.records)
    paths = page_paths(entries)
    for entry in entries:
        own = (curves.seen(record) for record in joined.records if entry_of(record) == entry)
        mistakes = find_mistakes(own, joined.files, stores)
        if mistakes.mistakes:
            found[entry] = paths[entry], as_page(entry, mistakes)
    return found


def without_recordings(joined: Joined, stores: Stores) -> set[str]:
    """Name the pages of entries whose recordings are all elsewhere: those that are there may be right."""
    paths = page_paths(dict.fromkeys(entry_of(record) for record in joined.records))
    here: dict[Entry, bool] = {}
    for record in joined.records:
        if record.relation == "external" and not why_not_shown(record):
            entry = entry_of(record)
            here[entry] = here.get(entry, False) or stores(record.cohort.id) is not None
    return {paths[entry] for entry, any_here in here.items() if not any_here}


def page_paths(entries: Iterable[Entry]) -> dict[Entry, str]:
    """Name each entry's page: by its model where that is a plain name of one entry, else with a hash."""
    named = list(entries)
    plain = [_UNSAFE.sub("-", entry.model).strip(".-") for entry in named]
    lower = [name.lower() for name in plain]
    paths = {}
    for entry, name in zip(named, plain, strict=True):
        unlike = name != entry.model or lower.count(name.lower()) > 1 or len(name) > 100
        mark = hashlib.sha256("\0".join(entry).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        paths[entry] = f"{FOLDER}/{name[:100]}-{mark}.html" if unlike else f"{FOLDER}/{name}.html"
    return paths


def as_page(entry: Entry, found: Found) -> str:
    """One self-contained page without any script."""
    style = (files("benchmark.report.mistakes") / "mistakes.css").read_text("utf-8")
    titles = [_title(one) for one in found.mistakes]
    sheets = [
        (one, sheet(recording, _alt(one, title), WARNING if one.card.simulated else ""))
        for one, recording, title in zip(found.mistakes, found.recordings, titles, strict=True)
    ]
    return _template().render(
        name=one_line(entry.model) + ("" if entry.protocol in ("as_is", "as-is") else f", {entry.protocol}"),
        count=plural(len(sheets), "recording"),
        left_out=found.left_out,
        grid=grid(),
        sheets=sheets,
        titles=titles,
        said=[_said(one) for one in found.mistakes],
        places=[_place(one) for one in found.mistakes],
        warning=WARNING,
        style=Markup(style),  # noqa: S704
        style_digest=digest(style),
    )


@cache
def _template() -> Template:
    """The template, compiled once for the pages of all models."""
    return templates("mistakes").get_template("mistakes.html.j2")


def _title(one: Mistake) -> str:
    known = load_ontology().concepts["name"]
    name = known.get(one.concept, one.concept)
    return f"False {'negative' if one.label else 'positive'}: {name}"


def _alt(one: Mistake, title: str) -> str:
    simulated = f" {WARNING}." if one.card.simulated else ""
    return visible(f"12-lead ECG of {one.record_id}, {one.card.name}. {title}.{simulated}", " ")


def _said(one: Mistake) -> str:
    """Give the source's own codes, each with its meaning where the vocabulary has one."""
    table = load_ontology().vocabularies.get(one.card.vocabulary)
    meanings = {} if table is None else dict(zip(table["code"], table["name"], strict=True))
    said = []
    for code in one.statements:
        meaning = meanings.get(code) or meanings.get(code.partition("+")[0]) or code
        said.append(code if meaning == code else f"{code} ({meaning})")
    return printable("; ".join(said), 600) or "nothing"


def _place(one: Mistake) -> str:
    beaten, side = f"{one.beaten:,.10g}", "below" if one.label else "above"
    other = "negatives" if one.label else "positives"
    return f"{side} {beaten} of the cohort's {one.against:,} {other}"
