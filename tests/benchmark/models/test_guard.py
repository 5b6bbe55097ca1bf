"""Whatever the code of a model raises is one sentence that says what and where."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from benchmark.models.guard import guarded
from benchmark.models.worker.modules import module_of_file
from cohorts.errors import ModelError, UsageError


def raising(error: BaseException) -> NoReturn:
    raise error


def test_an_answer_passes() -> None:
    assert guarded("m.predict", lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("too\n\x1b[31mlong"), "m.predict raised ValueError at test_guard.py:16: too long"),
        (KeyError(), "m.predict raised KeyError at test_guard.py:16: no message"),
        (SystemExit(3), "m.predict raised SystemExit at test_guard.py:16: 3"),
    ],
)
def test_an_exception_is_one_sentence(error: BaseException, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        guarded("m.predict", lambda: raising(error))
    assert str(caught.value) == words
    assert caught.value.__cause__ is error


def test_an_error_of_the_suite_and_an_interruption_stay_what_they_are() -> None:
    for error in (UsageError("a sentence"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            guarded("m.predict", lambda error=error: raising(error))  # type: ignore[misc]
        assert caught.value is error


def test_a_file_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ndef f(:\n")
    with pytest.raises(ModelError, match=r"Importing broken\.py raised SyntaxError at broken\.py:2: "):
        guarded("Importing broken.py", lambda: module_of_file(path))
