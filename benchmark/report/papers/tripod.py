"""A TRIPOD+AI checklist with what a run knows filled in, and blanks for what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.records.record import ResultRecord
from benchmark.records.run_file import RunFile
from benchmark.report.leaderboard_table import SIMULATED
from benchmark.report.markdown import markdown
from benchmark.report.papers.tripod_facts import facts
from benchmark.report.papers.tripod_items import SECTIONS, Item
from benchmark.text import one_line
from cohorts.cohort import CohortCard
from cohorts.errors import UsageError

BLANK = "To be filled in by the authors"


def checklist(plan: RunFile, records: Sequence[ResultRecord], cards: Mapping[str, CohortCard]) -> str:
    """Fill the checklist in, as Markdown: ``[x]`` is from the run, ``[ ]`` is for the authors.

    Parameters
    ----------
    cards
        Of published cohorts, by id; of others nothing is said but what the records hold.

    Raises
    ------
    UsageError
        If no cell of the run is finished.
    """
    if not records:
        raise UsageError("The run has no finished cell, so there is nothing to fill a checklist with.")
    known = facts(plan, records, cards)
    simulated = any(record.cohort.simulated for record in records)
    parts = [
        f"# TRIPOD+AI checklist: {markdown(plan.name)}",
        *([f"> **{SIMULATED}**"] if simulated else []),
        "The items are those of TRIPOD+AI (Collins et al., BMJ 2024;385:e078378), in other words; the "
        "statement itself says what counts. [x] is known from the run, [ ] is left to the authors.",
    ]
    for section, items in SECTIONS.items():
        parts += [f"## {section}", *(_shown(item, known.get(item.number, [])) for item in items)]
    return "\n\n".join(parts) + "\n"


def _shown(item: Item, known: Sequence[str]) -> str:
    lines = [f"**{item.number} {item.title}**: {item.ask}.", ""]
    lines += [f"- [x] {markdown(one_line(fact))}" for fact in known]
    if item.blank or not known:
        lines.append(f"- [ ] {BLANK}: {item.blank or 'all of it'}.")
    return "\n".join(lines)
