"""README and the pages of docs/: every command is one that exists, and what they show was printed.

Pages with much to type have a test file of their own, which names them; the others are typed here.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from cyclopts import ValidationError

from benchmark.cli import app
from tests.documented import Typed, blocks, commands, files, section, type_session, typing_at

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "results/README.md",
    )
}
NOT_TYPED = {
    "docs/scale.md": "needs GPUs or a cluster; tests/benchmark/run/test_ray.py has Ray on one machine",
    "docs/reliability.md": "is `make soak`, which takes minutes",
    "docs/explaining.md": "is of networks that train for an hour; tests/benchmark/run/test_explaining.py",
    "docs/medperf.md": "needs Docker; tests/test_medperf.py types what the containers run, outside of one",
    "docs/papers.md": "is of a run that trains for minutes; tests/benchmark/commands/test_papers_command.py",
    "docs/protocols.md": "pre-trains on a GPU; tests/baselines pre-train small networks",
    "CONTRIBUTING.md": "installs a package; tests/cohorts/test_scaffold.py uses what it writes",
    "results/README.md": "is about results that nobody has handed in yet",
}
"""Pages of which no command is typed, and why; that the commands exist is tested all the same."""


def ours(text: str) -> list[str]:
    """Give the calls of `leadboard` that stand in a text, without what a shell makes of them."""
    lines = [*commands(text), *(line for code in blocks(text, "console") for line in code.splitlines())]
    calls = {line.removeprefix("$ ").partition("#")[0].strip() for line in lines}
    return sorted(call for call in calls if call.startswith("leadboard ") and not call.endswith("\\"))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_of_a_page_exists(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for call in ours(PAGES[page]):
        with contextlib.suppress(ValidationError):  # a file that is not here is no matter of the page
            app.parse_args(shlex.split(call)[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_typed_by_a_test(page: str) -> None:
    if not commands(PAGES[page]):
        return
    name = page.removeprefix("docs/")
    others = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    typed = any(f'{name}"' in path.read_text(encoding="utf-8") for path in others)
    assert typed or page in TYPED or page in NOT_TYPED, page


def test_make_benchmark_is_the_two_commands_that_it_says() -> None:
    for call in blocks(section(PAGES["README.md"], "Two commands"), "console")[0].splitlines():
        words = call.removeprefix("$ ").partition("#")[0].split()
        told = subprocess.run(
            [*words, "--dry-run", "--always-make"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        data = words[-1].partition("=")[2] or "data/simulated"
        assert (f"leadboard simulate --out {data}" in told) == ("DATA" not in call)
        assert f"leadboard run --data {data} --out results/runs/" in told


@pytest.fixture(scope="module")
def desk(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample data, and the tables and files that the pages name."""
    desk = tmp_path_factory.mktemp("desk")
    (desk / "RELEASES").symlink_to(shared / "data")
    annotations = shared / "data/code-test/annotations"
    scores = pd.read_csv(shared / "known_answers/code_test_dnn_scores.csv")
    tables = {
        "SCORES": scores,
        "LABELS": pd.read_csv(annotations / "gold_standard.csv"),
        "RESIDENTS": pd.read_csv(annotations / "cardiology_residents.csv"),
        "PREDICTIONS": scores.set_axis(["IAVB", "RBBB", "LBBB", "SB", "AF", "STach"], axis=1),
    }
    for name, table in tables.items():
        table.insert(0, "record_id", [f"{row:03d}" for row in range(len(table))])
        table.to_csv(desk / f"{name}.csv", index=False)
    for name, code in files(section(PAGES["README.md"], "Four uses")).items():
        (desk / name).write_text(code)
    # The labels of the map on the page, and the statements of PTB-XL.
    shown = PAGES["docs/evaluate.md"].partition("```\nlabel,")[2].partition("```")[0]
    statements = (ROOT / "baselines/foundation/labels/ptbxl.csv").read_text("utf-8")
    for name, text in {"names": shown, "statements": statements}.items():
        labels = dict.fromkeys(line.partition(",")[0] for line in text.splitlines()[1:])
        (desk / f"{name}.txt").write_text("\n".join(labels))
    return desk


@pytest.fixture
def types(desk: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    yield from typing_at(desk, monkeypatch, capfd)


TYPED = {
    "README.md": ["Four uses"],
    "docs/evaluate.md": ["1. Start from a package that runs", "2. Check it"],
    "docs/score.md": ["Against a table of labels", "On a cohort", "How many patients?"],
    "docs/index.md": ["A first result, without any data"],
    "docs/tasks.md": ["Published tasks"],
    "docs/leaderboard.md": ["Make it again, differently"],
}
"""Page -> sections that are typed here as they stand."""


@pytest.mark.parametrize("page", TYPED)
def test_a_page_is_typed_as_it_stands(page: str, types: Typed, desk: Path) -> None:
    if page == "docs/leaderboard.md" and not (desk / "results/runs/two").is_dir():
        types(next(line for line in commands(PAGES["README.md"]) if line.endswith("results/runs/two")))
    for title in TYPED[page]:
        shown = blocks(section(PAGES[page], title), "console")
        assert shown
        for code in shown:
            type_session(code, types)


@pytest.mark.slow  # trains on real recordings for a minute
@pytest.mark.timeout(3600)
def test_the_run_on_real_data_is_typed_as_it_stands(types: Typed) -> None:
    (code,) = blocks(section(PAGES["docs/index.md"], "On real data"), "console")
    type_session(code, types)
