"""What a stranger wrote cannot leave its line or its place."""

from __future__ import annotations

import doctest

import benchmark.text
from benchmark.text import printable, some


def test_docstring_examples() -> None:
    assert doctest.testmod(benchmark.text).failed == 0


def test_terminal_codes_go_and_length_is_kept() -> None:
    assert printable("\x1b]0;title\x07a\x1b[2Jb\tc") == "ab c"
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 301) == "x" * 299 + "…"


def test_a_short_list_is_whole() -> None:
    assert some("ab", 2) == "a, b"
