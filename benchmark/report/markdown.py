"""The leaderboard as Markdown, for a README or a pull request."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from benchmark.records.record import ResultRecord
from benchmark.records.run_file import RunFile
from benchmark.report.board import Board
from benchmark.report.board_statistics import BoardStatistics
from benchmark.report.cell_tables import cell_tables
from benchmark.report.facts import cohorts_table, interval_sentences, partial_copies, problem_tables
from benchmark.report.fits import FITS_WORDS, fits_table
from benchmark.report.leaderboard_table import SIMULATED, leaderboard_table, ranking_rules
from benchmark.report.model_tables import AGE_WORDS, age_table, rounding_table
from benchmark.report.self_reported import SELF_REPORTED_WORDS
from benchmark.report.statistics_tables import statistics_sentences, statistics_tables
from benchmark.report.tables import Table, TableCell, cohort_table
from benchmark.report.unseen import UNSEEN_WORDS, unseen_table
from benchmark.text import one_line


def as_markdown(
    run: RunFile,
    records: Sequence[ResultRecord],
    boards: Sequence[Board],
    found: Sequence[BoardStatistics],
    pictures: Collection[str],
    told: Sequence[Table] = (),
    sources: Table | None = None,
) -> str:
    """Leaderboards, cohorts and whatever went wrong; concepts are left to the page and the CSV.

    Parameters
    ----------
    pictures
        Names of the figures that lie beside it.
    told
        Tables of what is self-reported.
    sources
        Of a joined board.
    """
    parts = [f"# Leaderboard: {markdown(run.name)}"]
    if any(board.simulated for board in boards):
        parts.append(f"> **{SIMULATED}**")
    for board, one in zip(boards, found, strict=True):
        parts += [markdown_table(leaderboard_table(board, one)), _bullets(ranking_rules(board))]
        compact = [table for table, collapsed in statistics_tables(board, one) if not collapsed]
        parts += [markdown_table(table) for table in compact]
        parts += [_bullets(statistics_sentences(board))] if compact else []
    if told:
        parts += ["## Self-reported results", markdown(SELF_REPORTED_WORDS), *map(markdown_table, told)]
    if records:
        parts += _picture("forest", "Macro AUROC of every model on every cohort", pictures)
        parts.append(markdown(interval_sentences(records)))
        parts += [markdown_table(cohort_table(board)) for board in boards]
        for board in boards:
            for section in cell_tables(board):
                shown = [
                    table for table, collapsed in section.tables if isinstance(table, Table) and not collapsed
                ]
                parts += [markdown_table(table) for table in shown]
                parts += [_bullets(section.sentences)] if shown else []
        parts += _picture("heatmap", "AUROC by concept and cohort", pictures)
        parts.append(markdown_table(cohorts_table(records)))
    parts += _picture("efficiency", "Macro AUROC and AUPRC against the share of the labels", pictures)
    ages = age_table(records)
    if ages is not None:
        parts += [markdown_table(ages), AGE_WORDS]
    fits = fits_table(records)
    if fits is not None:
        parts += [markdown_table(fits), FITS_WORDS]
    rounding = rounding_table(records)
    if rounding is not None:
        parts.append(markdown_table(rounding))
    unseen = unseen_table(records)
    if unseen is not None:
        parts += [markdown_table(unseen), UNSEEN_WORDS]
    partial = partial_copies(records)
    if partial:
        parts += ["## Partial copies", _bullets(partial)]
    parts += [markdown_table(table) for table in problem_tables(run, records)]
    if sources is not None:
        parts.append(markdown_table(sources))
    if run.warnings:
        parts += ["## Warnings", _bullets(run.warnings)]
    return "\n\n".join(parts) + "\n"


def _picture(name: str, what: str, pictures: Collection[str]) -> list[str]:
    return [f"![{what}](figures/{name}.png)"] if name in pictures else []


def markdown_table(table: Table) -> str:
    """One table with its caption as heading and its footnotes below."""
    numbers = table.footnotes

    def shown(cell: TableCell) -> str:
        marks = ",".join(str(numbers[note]) for note in cell.notes)
        return markdown(cell.text) + (f" <sup>{marks}</sup>" if marks else "")

    header = [markdown(column) for column in table.columns]
    lines = [header, ["---"] * len(header), *([shown(cell) for cell in row] for row in table.rows)]
    parts = [f"## {markdown(table.caption)}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    if numbers:
        parts.append("\n".join(f"{number}. {markdown(note)}" for note, number in numbers.items()))
    return "\n\n".join(parts)


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {markdown(sentence)}" for sentence in sentences)


def markdown(text: str) -> str:
    r"""Escape text so that Markdown shows it as it is, on one line, in a table cell too.

    Characters that some parser treats apart even after a backslash become entities.

    Examples
    --------
    >>> print(markdown("a|b <i>*c*</i>\n0.871 [0.850, 0.893] [x](y)"))
    a&#124;b &#60;i&#62;\*c\*&#60;/i&#62; 0.871 [0.850, 0.893] [x\](y)
    """
    return re.sub(
        r"[&<>|\\`$]|[*_~]|\](?=[(\[:])|^[-+#](?=[\s#-]|$)|(?<=^\d)[.)](?=\s|$)",
        lambda match: f"&#{ord(match[0])};" if match[0] in "&<>|\\`$" else f"\\{match[0]}",
        one_line(text),
    )
