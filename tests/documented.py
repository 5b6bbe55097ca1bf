"""What a page of the documentation tells its reader to write and to type."""

from __future__ import annotations

import logging
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.cli import app

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w.-]+)\n")
_NUMBER = r"[\d,]+(?:\\\.\d+)?"  # as it stands in an escaped line


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


def joined(code: str) -> str:
    """Put each command on one line; what is printed may end in a backslash too, and is left alone."""
    return re.sub(r"^\$ (?:.*\\\n)+", lambda found: found[0].replace("\\\n", ""), code, flags=re.MULTILINE)


def commands(text: str) -> list[str]:
    """Give what the text tells its reader to type; lines that end in a backslash go on in the next."""
    lines = [line for code in blocks(text, "console") for line in joined(code).splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def sessions(code: str) -> list[tuple[str, list[str]]]:
    """Commands of a block, each with the lines that it prints; "..." stands for more of them."""
    found: list[tuple[str, list[str]]] = []
    for line in joined(code).splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line and line != "...":
            found[-1][1].append(line)
    return found


def pattern(line: str) -> re.Pattern[str]:
    """A line as it is printed, whatever times, rates, hashes and sizes of files with hashes in them are."""
    escaped = re.escape(line)
    for varying, instead in (
        (r"\b[0-9a-f]{12,64}\b", "[0-9a-f]+"),
        (r"\\\[[0-9a-f]{4}\\\]", r"\\[[0-9a-f]{4}\\]"),  # of a hospital, made with a key of its own
        (r"(my\\-clinic\\-)[0-9a-f]{8}", r"\1[0-9a-f]{8}"),
        (r"\S*cache/stores", r"\\S*cache/stores"),
        (rf"{_NUMBER}\\ s\b", r"[\\d.,]+ s"),
        (rf"{_NUMBER}(\\ records)?/s\b", r"[\\d.,]+\1/s"),
        (rf"\\\+{_NUMBER}\\ MB\b", r"[+-][\\d.,]+ MB"),
        (rf"(\\ )+{_NUMBER}\\ bytes", r" +[\\d,]+ bytes"),
        (rf"{_NUMBER}\\ GiB\\ free", r"[\\d.,]+ GiB free"),
    ):
        escaped = re.sub(varying, instead, escaped)
    return re.compile(escaped)


Typed = Callable[[str], str]


def typing_at(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """Yield what types a line in a folder, `leadboard` in this process, and gives what it prints."""
    monkeypatch.chdir(desk)
    monkeypatch.delenv("LEADBOARD_DATA", raising=False)
    monkeypatch.setenv("LEADBOARD_CACHE", str(desk / "cache"))
    log = logging.getLogger("leadboard")
    level, propagate, handlers = log.level, log.propagate, list(log.handlers)

    def call(line: str) -> str:
        words = shlex.split(line, comments=True)
        if words[0] == "head":
            return subprocess.run(words, cwd=desk, capture_output=True, text=True, check=True).stdout
        assert words[0] == "leadboard", line
        code = app(words[1:], exit_on_error=False, print_error=False, result_action="return_value")
        printed = capfd.readouterr()
        assert code in (0, None), (line, printed.err)
        return printed.err + printed.out

    yield call
    log.setLevel(level)  # a training makes it speak, and the tests after this one would hear it
    log.propagate, log.handlers = propagate, handlers


def type_session(code: str, types: Typed, within: float = 0) -> None:
    """Type the commands of a block, and find each line that it shows among those that are printed."""
    for line, expected in sessions(code):
        find_lines(expected, types(line), within)


def find_lines(expected: list[str], printed: str, within: float = 0) -> None:
    """Find each line that a page shows among those that are printed.

    Parameters
    ----------
    within
        How far a number with three decimals may lie from the one that is shown.
    """
    lines = [found.rstrip() for found in printed.splitlines()]
    for shown in expected:
        assert any(pattern(shown).fullmatch(found) or _near(shown, found, within) for found in lines), (
            shown,
            lines,
        )


_DECIMALS = re.compile(r"\b\d\.\d{3}\b")


def _near(shown: str, found: str, within: float) -> bool:
    if not within or _DECIMALS.sub("#", shown) != _DECIMALS.sub("#", found):
        return False
    numbers = (map(float, _DECIMALS.findall(line)) for line in (shown, found))
    return all(abs(one - other) <= within for one, other in zip(*numbers, strict=True))
