"""The chain of a number on the terminal."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmark.commands.printing import print_table
from benchmark.report.chain.link import Chain, Link
from benchmark.terminal import tell
from benchmark.text import one_line

WIDTH_IN_FILES = 100
"""Columns where it is not printed on a terminal."""


def print_chain(chain: Chain, verify: str) -> None:
    """Print every link, and the command that recomputes the number."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_IN_FILES
    tell(*textwrap.wrap(chain.heading, width))
    for at, link in enumerate(chain.links, start=1):
        tell("", f"{at}. {link.title}")
        tell(*_lines(link, width))
        for heading, rows in link.tables.items():
            tell(*([""] if link.lines else []), *textwrap.wrap(heading, width))
            if rows:
                print_table([dict(row) for row in rows])
    tell("")
    if chain.needs:
        without = (
            f"The release on this machine: {one_line(chain.needs).rstrip('.')}. Which statements made the "
            "labels, what was done to the signals, and the number computed once more need it (--data)."
        )
        tell(*textwrap.wrap(without, width))
    tell(*(f"DIFFERS: {one_line(sentence)}" for sentence in chain.differs))
    tell("To recompute the number with its interval:", f"  {verify}")


def verify_command(
    record: Path, data: Path | None, cohort_files: Sequence[Path] = (), cache: Path | None = None
) -> str:
    """Give the call of ``leadboard verify`` that recomputes a record, with the options of this call."""
    words = ["leadboard", "verify", str(record)]
    words += [word for file in cohort_files for word in ("--cohort-file", str(file))]
    words += ["--data", str(data) if data is not None else "RELEASES"]
    words += ["--cache", str(cache)] if cache is not None else []
    return shlex.join(words)


def _lines(link: Link, width: int) -> list[str]:
    """Lay out names and values in two columns; a value that would be cut has lines of its own."""
    column = max((len(name) for name, _ in link.lines), default=0) + 4
    lines: list[str] = []
    for name, value in link.lines:
        text = one_line(value)
        if max(map(len, text.split()), default=0) > width - column:
            lines += [f"  {name}"] if name else []
            lines += textwrap.wrap(
                text,
                max(width, 70),
                initial_indent="    ",
                subsequent_indent="    ",
                break_on_hyphens=False,
                break_long_words=False,
            )
            continue
        lines += textwrap.wrap(
            text or "-",
            width,
            initial_indent=f"  {name}".ljust(column),
            subsequent_indent=" " * column,
            break_on_hyphens=False,
        )
    return lines
