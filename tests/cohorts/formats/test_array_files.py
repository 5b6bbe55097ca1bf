"""What a missing or damaged array file becomes: the reason of a quarantine, without the machine's folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from cohorts.errors import RecordError
from cohorts.formats.array_files import reading


def reason(file: Path, error: Exception | None = None) -> str:
    try:
        with reading(file):
            if error is not None:
                raise error
    except RecordError as told:
        return str(told)
    return "none"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.npy").touch()
    return tmp_path / "a.npy"


def test_a_file_that_is_not_there_and_a_folder_in_its_place(tmp_path: Path) -> None:
    assert reason(tmp_path / "b.npy") == "b.npy is not there."
    assert reason(tmp_path).endswith(" is not there.")


def test_what_was_raised_is_told_in_a_line_without_the_folder(file: Path) -> None:
    error = ValueError(f"{file} is\n  strange")
    assert reason(file, error) == "a.npy cannot be read (a.npy is strange)."


def test_a_long_reason_is_cut(file: Path) -> None:
    assert reason(file, ValueError("x" * 151)) == f"a.npy cannot be read ({'x' * 150})."


def test_what_no_damaged_file_raises_is_not_swallowed(file: Path) -> None:
    with pytest.raises(AttributeError), reading(file):
        raise AttributeError("a bug")
