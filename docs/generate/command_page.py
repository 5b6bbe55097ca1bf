"""The page of the command line: every command and option, in the words that `--help` shows."""

from __future__ import annotations

import re
import sys
from unittest.mock import patch

from benchmark.cli import app

_HEAD = """\
# Command line

Every command with its options, from the same docstrings that `leadboard COMMAND --help` shows. Exit code
0: it worked; 1: a cell failed, or something differs; 2: the call was wrong; 130 and 143: it was stopped
by Ctrl-C or SIGTERM. `--json`, where there is one, prints for programs.
"""


def page() -> str:
    """Write the page; its own table of contents takes the place of cyclopts' one."""
    with patch.object(sys, "argv", [app.name[0]]):  # or the usage of a command names `python -m mkdocs`
        text = app.generate_docs(output_format="markdown")
    listed, found, commands = text.partition("## leadboard ")
    if not found:
        raise ValueError("The documentation of the commands has no command.")
    _, found, overview = listed.partition("**Commands**:")
    if not found:
        raise ValueError("The documentation of the commands has no list of them.")
    listing = re.sub(r"^\* ", "- ", overview.strip(), flags=re.MULTILINE)
    return f"{_HEAD}\n{listing}\n\n## leadboard {commands}"
