"""Printing on odd machines: other alphabets, closed, full and broken streams; nothing gives orders."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import terminal
from benchmark.commands.printing import print_table
from benchmark.progress import Reporter
from benchmark.terminal import tell
from benchmark.text import harmless
from cohorts.hashing import ROOT
from tests.releases import write_challenge

CALLS = """
import json, os, sys
from benchmark.cli import main
for call in json.loads(sys.argv[1]):
    sys.argv[1:] = [os.fsdecode(word.encode()) for word in call]
    try:
        main()
    except SystemExit as end:
        print("code", end.code, flush=True)
"""
"""Several calls of the real command line in one process."""

ORDERS = "\x1b]0;owned\x07\x1b[31m\x9b2J\x7f\u202e\u2066"


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LEADBOARD_", "PYTHON"))}
    return kept | {"PYTHONPATH": str(ROOT)} | more


def calls(folder: Path, *made: list[str], **more: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", CALLS, json.dumps(made)]
    return subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with foreign words in it, and tables of scores and labels."""
    place = tmp_path_factory.mktemp("place")
    write_challenge(place / "data", "georgia", records=12)
    header = next((place / "data").rglob("*.hea"))
    header.write_text(header.read_text().replace("Dx: ", f"Dx: {ORDERS}not-a-code,"), "utf-8")
    rows = [(f"r{i}", i % 2, i % 2 + i % 7) for i in range(40)]
    name = f"AF{ORDERS}:X:[bold]†"
    (place / "l.csv").write_text(f"record_id,{name}\n" + "".join(f"{i},{y}\n" for i, y, _ in rows), "utf-8")
    (place / "s.csv").write_text(f"record_id,{name}\n" + "".join(f"{i},{s}\n" for i, _, s in rows), "utf-8")
    return place


SCORE = ["score", "s.csv", "--labels", "l.csv", "--resamples", "20"]
WRONG = (["run", "--data", "data", "--model", f"{ORDERS}:X:"], [f"cohorts{ORDERS}"])


def test_every_command_prints_in_an_alphabet_without_our_signs(folder: Path) -> None:
    settings = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LEADBOARD_CACHE": "cache"}
    run = ["run", "--data", "data", "--model", "age-sex", "--resamples", "20", "--out", "run-ré"]
    made = (
        ["cohorts", "--data", "data"],
        ["prepare", "georgia", "--data", "data"],
        SCORE,
        [*SCORE, "--json"],
    )
    answer = calls(folder, *made, run, *WRONG, ["run", "--help"], **settings)
    out, errors = answer.stdout.decode("ascii"), answer.stderr.decode("ascii")
    assert "Traceback" not in errors
    *_, printed_json, _, _, _, help_page, _ = re.split(r"^code \d\n", out, flags=re.MULTILINE)
    assert re.findall(r"^code (\d)", out, re.MULTILINE) == ["0", "0", "0", "0", "1", "2", "2", "0"], errors
    assert harmless(out + errors) == out + errors
    assert ":X:[bold]+" in out
    (concept,) = json.loads(printed_json)["concepts"]
    assert concept.endswith(":X:[bold]†")
    assert "\n+--------" in help_page
    assert (folder / "run-ré" / "leaderboard.html").is_file()


def test_nothing_that_is_read_gives_orders(folder: Path) -> None:
    answer = calls(folder, SCORE, *WRONG, PYTHONIOENCODING="utf-8")
    out, errors = answer.stdout.decode(), answer.stderr.decode()
    assert harmless(out + errors) == out + errors
    assert ":X:[bold]†" in out
    assert len(errors.splitlines()) == 2


def redirected(folder: Path, command: str) -> tuple[int, str, str]:
    """Exit code of the command line and what came out, with a shell's redirections."""
    read, write = os.pipe()
    line = f"{sys.executable} -m benchmark {command}; echo ${{PIPESTATUS[0]}} >&{write}"
    answer = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment(), capture_output=True, pass_fds=[write], text=True
    )
    os.close(write)
    code = os.read(read, 10)
    os.close(read)
    return int(code), answer.stdout, answer.stderr


@pytest.mark.parametrize(
    ("redirection", "code", "says"),
    [
        ("--version >&-", 1, "Bad file descriptor"),
        ("--version > /dev/full", 1, "No space left on device"),
        ("--help | true", 0, ""),
        ("--version 2>&-", 0, ""),
        ("--help <&- >/dev/null 2>/dev/full", 0, ""),
    ],
)
def test_streams_that_cannot_be_written_to(folder: Path, redirection: str, code: int, says: str) -> None:
    found, _, errors = redirected(folder, redirection)
    assert found == code
    if not says:
        assert errors == ""
    else:
        said = f"leadboard: Standard output is incomplete, because it cannot be written to ({says}).\n"
        assert errors == said


def test_the_work_is_done_though_nobody_reads_any_more(folder: Path) -> None:
    arguments = "--data data --model age-sex --resamples 20 --out unread --cache cache-unread"
    code, _, errors = redirected(folder, f"run {arguments} 2>&1 | true")
    assert (code, errors) == (1, "")  # a model that learns has no source here: the exit code is the run's
    assert (folder / "unread" / "leaderboard.html").is_file()


UNKNOWN = """
import pwd
def getpwuid(uid):
    raise KeyError(uid)
pwd.getpwuid = getpwuid
"""


def test_an_account_without_a_home_works_with_a_cache_and_is_told_without(folder: Path) -> None:
    names = ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME")
    settings = {key: value for key, value in environment().items() if key not in names}
    prepare = ["prepare", "georgia", "--data", "data"]
    run = ["run", "--data", "data", "--model", "age-sex", "--resamples", "20", "--out", "homeless"]
    made = json.dumps([["cohorts", "--data", "data"], prepare, [*run, "--cache", "homeless-cache"]])
    command = [sys.executable, "-c", UNKNOWN + CALLS, made]
    answer = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    assert "Traceback" not in answer.stderr
    assert re.findall(r"^code (\d)", answer.stdout, re.MULTILINE) == ["0", "1", "1"]
    assert "Not a directory; choose another cache folder with LEADBOARD_CACHE." in answer.stderr
    assert (folder / "homeless" / "leaderboard.html").is_file()
    assert not [path for path in folder.iterdir() if path.name.startswith("~")]


CLOSED = """
import os
import re
from benchmark.terminal import set_up
set_up()
with open("precious", "wb") as file:
    assert file.fileno() > 2
    os.system("echo spoilt; echo spoilt >&2")
print("spoilt")
"""


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    command = f"{sys.executable} -c '{CLOSED}' <&- >&- 2>&-"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment(), check=True)
    assert (tmp_path / "precious").read_bytes() == b""


BUG = """
import sys, warnings
from benchmark import cli
def bug(*_, **__):
    warnings.warn("\\x1b[31mwarned")
    raise RuntimeError("\\x1b[31mred\\nline\\x9b2J")
cli.app = bug
cli.main()
"""


def test_a_bug_and_a_warning_give_no_orders_either(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", BUG], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    errors = answer.stderr.decode()
    assert answer.returncode == 1
    assert "RuntimeError" in errors
    assert "warned" in errors
    assert harmless(errors) == errors


@pytest.mark.parametrize("colours", ["", "1"])
def test_markup_emoji_and_links_are_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, colours: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", colours)
    hostile = f":X: :smile: [red]a[/] [link=http://a.org]b[/link] {ORDERS}"
    shown = ":X: :smile: [red]a[/] [link=http://a.org]b[/link] "
    reporter = Reporter()
    reporter.say(hostile)
    assert capsys.readouterr().err.startswith(shown)
    with reporter.step(hostile) as progress:
        progress(1, 2)
    errors = capsys.readouterr().err
    assert shown in errors
    assert "\x07" not in errors
    assert "\x1b[31m" not in errors
    print_table([{hostile: hostile}])
    out = capsys.readouterr().out
    assert out.count(":X: :smile: [red]a[/] [link=http://a.org]b[/link]") == 2
    assert "\x07" not in out
    assert "\x1b[31m" not in out


def test_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell("a\nFAILED b\r\u2028c", "d\u00a0e")
    assert capsys.readouterr().out == "a�FAILED b��c\nd e\n"


def test_signs_that_an_alphabet_lacks_become_their_nearest() -> None:
    terminal.set_up()
    text = "0.5 – 0.6 − × † Łódź, Müller… 你 \udcff"
    assert text.encode("ascii", "leadboard-plain") == b"0.5 - 0.6 - x + ?odz, Muller... ? ?"


def test_only_the_terminal_prints() -> None:
    allowed = {
        "benchmark/terminal.py",
        "benchmark/progress.py",
        "benchmark/commands/printing.py",
        "benchmark/commands/options.py",
    }
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "benchmark").rglob("*.py")
        if any(word in path.read_text("utf-8") for word in (" print(", "Console(", "stdout.write("))
    }
    assert found - {"benchmark/report/markdown.py", "benchmark/commands/toml_text.py"} == allowed  # examples
