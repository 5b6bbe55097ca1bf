"""What goes out of the house: no file of a run or a submission says whose machine it was made on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from benchmark.records.submission import pack
from benchmark.report.writing import write_report
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from benchmark.text import harmless
from tests.benchmark.tiny_run import SETTINGS, make_places

PLUGIN = """
import os
import socket
import tempfile
from pathlib import Path

WORDS = (
    f"No such file: '{Path.home()}/weights/net.pt', {Path.cwd()}/net.pt, "
    f"{tempfile.gettempdir()}/scratch/net.pt, "
    f"asked by {os.environ['LOGNAME']} on {socket.gethostname()} "
    "\\x1b]0;owned\\x07\\x1b[31m\\u202e\\x9b2J\\nnext line"
)


class Predicts:
    card = {"name": "predicts", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        raise FileNotFoundError(WORDS)


class Constructs:
    card = {"name": "constructs", "outputs": ["AF"], "trained_on": []}

    def __init__(self):
        raise RuntimeError(WORDS)

    def predict(self, batch):
        pass


class Once:
    card = {"name": "once", "outputs": ["AF"], "trained_on": []}
    asked = 0

    def predict(self, batch):  # a cell, and then nothing on the validation fold
        Once.asked += 1
        if Once.asked > 1:
            raise FileNotFoundError(WORDS)
        return batch.signals[:, :1, 0]
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path, str]:
    """A run of three models that fail with their machine on their lips, a submission, and what was said."""
    home = tmp_path_factory.mktemp("homes") / "annarita"
    work = home / "work"
    work.mkdir(parents=True)
    (work / "mine.py").write_text(PLUGIN)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (("HOME", home), ("PWD", work), ("LOGNAME", "annarita")):
            patched.setenv(name, str(value))
        patched.chdir(work)
        patched.setattr(socket, "gethostname", lambda: "ward7-pc")
        patched.setattr("tempfile.gettempdir", lambda: "/mnt/annarita")
        patched.setattr(Reporter, "say", lambda _, text: said.append(text))
        models = [f"mine.py:{name}" for name in ("Predicts", "Constructs", "Once")]
        options = RunOptions(
            Path("run"), make_places(work), SETTINGS, Hardware(), models=models, cohorts=["georgia"]
        )
        assert run_cells(options, Reporter()).failed == 2
        write_report(Path("run"))
        submission, _ = pack(Path("run"), Path("subs"), "once")
    return home, work / "run", work / submission, "\n".join(said)


def test_the_reasons_are_there_without_the_machine(published: tuple[Path, Path, Path, str]) -> None:
    _, run, _, said = published
    reasons = {cell.model: cell.reason or "" for cell in load_run_file(run).cells if cell.status == "failed"}
    assert set(reasons) == {"predicts", "mine.py:Constructs"}
    words = "'~/weights/net.pt', net.pt, …/net.pt, asked by <user> on <host>"
    assert all(words in reason for reason in reasons.values())
    assert words in (load_record(run / "once/as-is/georgia.json").provenance.thresholds.reason or "")
    assert words.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in (
        run / "leaderboard.html"
    ).read_text("utf-8")
    assert "annarita/weights/net.pt" in said  # whoever sits there is told where


def test_no_file_names_the_machine_or_gives_orders(published: tuple[Path, Path, Path, str]) -> None:
    home, run, submission, _ = published
    files = [path for folder in (run, submission) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        content = path.read_bytes()
        for name in (str(home), "annarita", "ward7-pc", str(home.parent), "owned"):
            assert name.encode() not in content, (path.name, name)
        if path.suffix in (".json", ".html", ".md", ".csv", ".svg"):
            text = content.decode("utf-8")
            assert harmless(text) == text, path.name
            assert "\\u001b" not in text
