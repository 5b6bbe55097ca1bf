"""Every option of every command: what it cannot be is said before any work, whatever the option is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App, CycloptsError
from cyclopts.argument import Argument

from benchmark.cli import app
from benchmark.commands.options import MOST_RESAMPLES, MOST_SEED
from cohorts.errors import UsageError

FILES = {
    *(("score", name) for name in ("--scores", "--labels", "--decisions", "--card")),
    ("pretrain", "--recipe"),
    ("new-cohort", "--table"),
    ("new-labels", "--names"),
    ("run", "--recipe"),
    ("run", "--config"),
    ("run", "--fingerprints"),
    ("score", "--fingerprints"),
    *((name, "--cohort-file") for name in app if not name.startswith("-")),
}
NEW_FILES = {(name, "--out") for name in ("export", "new-labels", "overlap", "predict")}
NUMBERS = {"--auroc": "0.9", "--prevalence": "0.1"}
NAUGHT = {"--correlation", "--icc"}  # may be 0
EITHER = {("verify", "--path"), ("predict", "--signals")}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.file").touch()


def commands() -> list[str]:
    return sorted(name for name in app if not name.startswith("-"))


@cache
def arguments(command: str) -> tuple[Argument, ...]:
    sub: App = app[command]
    return tuple(sub.assemble_argument_collection(parse_docstring=False))


def kinds_of(argument: Argument) -> set[Any]:
    """The plain types that an argument may have."""

    def parts(hint: Any) -> Iterator[Any]:
        inner = getattr(hint, "__args__", ())
        if inner and not isinstance(hint, type):
            for one in inner:
                yield from parts(one)
        else:
            yield hint

    return set(parts(argument.hint))


def of_kind(*kinds: type) -> list[tuple[str, str]]:
    found = [
        (command, argument.name)
        for command in commands()
        for argument in arguments(command)
        if kinds_of(argument) & set(kinds)
    ]
    assert len(found) > 2
    return found


def call(command: str, name: str, value: str) -> list[str]:
    """A call with one option as given and all that it needs beside it."""
    words = [command]
    for argument in arguments(command):
        if argument.name == name:
            words += [f"{name}={value}"] if name.startswith("--") else [value]
        elif argument.required:
            place = (command, argument.name)
            needed = "a.file" if place in FILES else "new.csv" if place in NEW_FILES else "."
            needed = NUMBERS.get(argument.name, needed)
            words += [f"{argument.name}={needed}"] if argument.name.startswith("--") else [needed]
    return words


def refusal(words: list[str]) -> str:
    """Parse a call, nothing else, and give the sentence that it is refused with."""
    with pytest.raises((CycloptsError, UsageError)) as caught:
        app.parse_args(words, exit_on_error=False, print_error=False)
    return " ".join(str(caught.value).split())


@pytest.mark.parametrize(("command", "name"), of_kind(int, float))
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e300", "9" * 30, "9" * 5000, ""])
def test_a_number_that_cannot_be(command: str, name: str, value: str) -> None:
    said = refusal(call(command, name, value))
    assert f"for {name}" in said or f'"{name}"' in said


@pytest.mark.parametrize(("command", "name"), [place for place in of_kind(float) if place[1] not in NAUGHT])
def test_a_number_next_to_nothing(command: str, name: str) -> None:
    assert "Must be" in refusal(call(command, name, "1e-300"))


@pytest.mark.parametrize(("command", "name"), of_kind(Path))
def test_a_path_that_is_too_long(command: str, name: str) -> None:
    said = refusal(call(command, name, "x" * 300))
    assert f"for {name}" in said or f"for {name.upper()}" in said
    assert "File name too long" in said


@pytest.mark.parametrize(("command", "name"), of_kind(Path))
def test_a_file_for_a_folder_and_the_other_way_round(command: str, name: str, tmp_path: Path) -> None:
    if (command, name) in EITHER:
        for there in ("a.file", "."):
            app.parse_args(call(command, name, there), exit_on_error=False, print_error=False)
        assert "No such file" in refusal(call(command, name, "nowhere"))
    elif (command, name) in FILES:
        os.mkfifo(tmp_path / "pipe")
        for value, words in (
            (str(tmp_path), "Is a directory"),
            ("pipe", "a pipe, device or socket is not read"),
            ("nowhere", "No such file"),
            ("a.file/x", "Not a directory"),
        ):
            assert words in refusal(call(command, name, value))
    elif (command, name) in NEW_FILES:
        assert "It is a folder, not a file" in refusal(call(command, name, "."))
        assert "a.file is a file, not a folder" in refusal(call(command, name, "a.file/new.csv"))
    else:
        assert "It is a file, not a folder" in refusal(call(command, name, "a.file"))
        assert "a.file is a file, not a folder" in refusal(call(command, name, "a.file/below/it"))
        (tmp_path / "link").symlink_to("nowhere")
        assert "It is a link that leads nowhere" in refusal(call(command, name, "link"))


@pytest.mark.parametrize("command", ["check", "train", "pretrain", "weights", "run"])
def test_a_model_whose_path_is_too_long(command: str) -> None:
    assert "File name too long" in refusal(call(command, "--model", "x" * 300 + ".py:Model"))
    app.parse_args(call(command, "--model", "nowhere.py:Model"), exit_on_error=False, print_error=False)


def test_readers_are_looked_at_first(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("record_id,AF\na,1\nb,2\n")
    (tmp_path / "l.csv").write_text("record_id,AF\na,1\nb,0\n")
    words = ["score", str(tmp_path / "s.csv"), "--labels", str(tmp_path / "l.csv"), "--reader"]
    for reader, why in ((f"one={tmp_path}", "Is a directory"), ("one=nowhere.csv", "No such file")):
        with pytest.raises(UsageError, match=rf"--reader '{reader}' cannot be read: {why}"):
            app([*words, reader], exit_on_error=False, print_error=False)


def test_what_can_be_is_taken() -> None:
    for name, value in (("--seed", MOST_SEED), ("--resamples", MOST_RESAMPLES), ("--deadline", 0.5)):
        app.parse_args(["run", name, str(value)], exit_on_error=False, print_error=False)
    app.parse_args(["run", "--out", "new/folder"], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("command", [["check"], ["train"], ["predict", "--signals", "."]])
@pytest.mark.parametrize("option", ["--python", "--container"])
def test_an_installed_model_runs_here_and_says_so(command: list[str], option: str) -> None:
    name, *more = command
    more += ["--out", "scores.csv"] if name == "predict" else []
    with pytest.raises(
        UsageError, match=f"^{option} is for models given by file .* resnet1d is an installed"
    ):
        app([name, "resnet1d", *more, option, "somewhere"], exit_on_error=False)
