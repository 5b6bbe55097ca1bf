"""A table for a paper, as LaTeX, Markdown or CSV: caption, heads, rows, and the notes beneath."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.report.export import csv_cell
from benchmark.report.markdown import markdown
from benchmark.text import one_line

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after a line's end it would be an option of that
    "]": "{]}",
    "*": "{*}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\geq}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\leq}",
    "\N{SUPERSCRIPT TWO}": r"\textsuperscript{2}",
} | {sign: "\\" + sign for sign in "$&#%_"}

_LIGATURES = re.compile(r"(?<=([-,']))(?=\1)")
"""Two dashes would be set as one long one, two commas or apostrophes as a quotation mark."""

NARROW = 6
"""Columns from which a table is set in small letters."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of plain text.

    Attributes
    ----------
    notes
        Beneath the table; a cell refers to them as ``(1)``, ``(2)`` and so on.
    groups
        Name and width of groups of columns, together as wide as the table; empty for none.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    groups: tuple[tuple[str, int], ...] = ()

    @property
    def plain_heads(self) -> tuple[str, ...]:
        """Heads that say of which group they are, for a table with one line of them."""
        names = [name for name, width in self.groups for _ in range(width)] or [""] * len(self.heads)
        return tuple(
            f"{name}: {head}" if name else head for name, head in zip(names, self.heads, strict=True)
        )


def render(table: PaperTable, form: str) -> str:
    """Write a table out as ``latex``, ``markdown`` or ``csv``, which begins with the caption after ``#``."""
    return {"latex": _as_latex, "markdown": _as_markdown, "csv": _as_csv}[form](table)


def _as_markdown(table: PaperTable) -> str:
    heads, *rows = ([markdown(cell) for cell in row] for row in (table.plain_heads, *table.rows))
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    notes = [f"({at}) {markdown(note)}" for at, note in enumerate(table.notes, start=1)]
    body = [f"| {' | '.join(line)} |" for line in lines]
    spaced = [part for note in notes for part in ("", note)]
    return "\n".join([f"Table: {markdown(table.caption)}", "", *body, *spaced, ""])


def _as_csv(table: PaperTable) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for row in (table.plain_heads, *table.rows):
        writer.writerow([csv_cell(_plain_number(cell)) for cell in row])
    notes = [f"({at}) {note}" for at, note in enumerate(table.notes, start=1)]
    said = [f"# {one_line(line)}\n" for line in (table.caption, *notes)]
    return "".join(said) + file.getvalue()


def _plain_number(cell: str) -> str | float:
    """Turn a signed number into what any program reads; a plus before an interval is left out.

    Examples
    --------
    >>> _plain_number("\N{MINUS SIGN}0.50"), _plain_number("+0.071 [0.010, 0.130]"), _plain_number("+x")
    (-0.5, '0.071 [0.010, 0.130]', '+x')
    """
    if re.fullmatch(r"[+\N{MINUS SIGN}]\d+\.\d+", cell):
        return float(cell.replace("\N{MINUS SIGN}", "-"))
    return cell[1:] if re.match(r"\+\d", cell) else cell


def _as_latex(table: PaperTable) -> str:
    lines = [_line(row) for row in (table.heads, *table.rows)]
    notes = [rf"({at}) {latex(note)}" for at, note in enumerate(table.notes, start=1)]
    wide = len(table.heads) > NARROW
    return "\n".join(
        [
            r"% \usepackage{booktabs} \usepackage[T1]{fontenc} \usepackage{textcomp}",
            r"\begin{table}",
            rf"\caption{{{latex(table.caption)}}}",
            *([r"\footnotesize \setlength{\tabcolsep}{3pt}"] if wide else []),
            rf"\begin{{tabular}}{{l{'r' * (len(table.heads) - 1)}}}",
            r"\toprule",
            *_group_lines(table.groups),
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            *([rf"\par\smallskip\footnotesize {' '.join(notes)}"] if notes else []),
            r"\end{table}",
            "",
        ]
    )


def _group_lines(groups: Sequence[tuple[str, int]]) -> list[str]:
    """Names of groups above their columns, each with a rule beneath."""
    if not groups:
        return []
    cells, rules, first = [], [], 1
    for name, width in groups:
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{latex(name)}}}")
        if name:
            rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(latex, cells)) + r" \\"


def latex(text: str) -> str:
    r"""Escape text so that LaTeX sets it as it is, on one line.

    A letter that the usual fonts have not is written as its number, since LaTeX would stop at it.

    Examples
    --------
    >>> latex("a_b & 5 % [x]"), latex("o\u5fc3")
    ('a\\_b \\& 5 \\% {[}x{]}', 'o{[}U+5FC3{]}')
    """
    return "".join(map(_sign, _LIGATURES.sub("\0", one_line(text))))


def _sign(sign: str) -> str:
    if sign == "\0":
        return "{}"
    if sign in _LATEX:
        return _LATEX[sign]
    return sign if sign.isascii() or sign in _LETTERS else f"{{[}}U+{ord(sign):04X}{{]}}"


_LETTERS = frozenset(
    letter
    for code in ("iso8859-1", "iso8859-2")
    for letter in bytes(range(0xA1, 0x100)).decode(code)
    if letter.isalpha() or letter in "§°±·µ×÷"
)
"""Beyond ASCII, those of western and central Europe."""
