"""What a page of the documentation tells its reader to write and to type."""

from __future__ import annotations

import re

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+)\n")


def section(page: str, title: str) -> str:
    """Give what stands below a heading of any level, up to the next one of its own level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", page, re.MULTILINE)
    assert found, f"no heading '{title}'"
    rest = page[found.end() :]
    prose = BLOCK.sub(lambda block: " " * len(block[0]), rest)  # a comment in code is no heading
    end = re.search(rf"^#{{1,{len(found[1])}}} ", prose, re.MULTILINE)
    return rest[: end.start()] if end else rest


def blocks(text: str, language: str) -> list[str]:
    """Give the code blocks of one language, in order."""
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def files(text: str) -> dict[str, str]:
    """Give the Python files that the text shows, by the name in the first line of each."""
    named = [(FILE_NAME.match(code), code) for code in blocks(text, "python")]
    assert all(name for name, _ in named), "a code block does not name its file in the first line"
    return {name[1]: code for name, code in named if name}


def commands(text: str) -> list[str]:
    """Give what the text tells its reader to type; lines that end in a backslash go on in the next."""
    lines = [line for code in blocks(text, "console") for line in code.replace("\\\n", "").splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
