"""Pages that are typed on the real sample data, as they stand: what they show was printed.

Pages with much to type have a test file of their own; tests/test_documented_commands.py knows all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.documented import Typed, blocks, commands, files, section, type_session, typing_at

ROOT = Path(__file__).parents[1]
TYPES = {
    "README.md": ["Four uses"],
    "docs/evaluate.md": ["1. Start from a package that runs", "2. Check it"],
    "docs/score.md": ["Against a table of labels", "On a cohort", "How many patients?"],
    "docs/index.md": ["A first result, without any data", "On real data"],
    "docs/tasks.md": ["Published tasks"],
    "docs/leaderboard.md": ["Make it again, differently"],
    "docs/papers.md": ["From a run to a paper"],
}
"""Page -> sections that are typed here as they stand."""
SLOW = "On real data"
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in TYPES}


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


@pytest.mark.parametrize("page", TYPES)
def test_a_page_is_typed_as_it_stands(page: str, types: Typed, desk: Path) -> None:
    if page == "docs/leaderboard.md" and not (desk / "results/runs/two").is_dir():
        types(next(line for line in commands(PAGES["README.md"]) if line.endswith("results/runs/two")))
    for title in TYPES[page]:
        if title == SLOW:
            continue
        shown = blocks(section(PAGES[page], title), "console")
        assert shown
        for code in shown:
            type_session(code, types)


@pytest.mark.slow  # trains on real recordings for a minute
@pytest.mark.timeout(3600)
def test_the_run_on_real_data_is_typed_as_it_stands(types: Typed) -> None:
    (code,) = blocks(section(PAGES["docs/index.md"], SLOW), "console")
    type_session(code, types)


def test_what_is_shown_of_written_files_stands_in_them(desk: Path, types: Typed) -> None:
    """A part of the checklist and of a card; both are written by its commands."""
    page = PAGES["docs/papers.md"]
    for line in commands(page):
        if line.startswith("leadboard run ") or line.endswith((" tripod", " hf")):
            types(line)
    run = desk / "results/runs/two"
    for kind, file in (("markdown", run / "tripod.md"), ("yaml", run / "hub/age-sex/README.md")):
        (shown,) = blocks(page, kind)
        assert shown in file.read_text(encoding="utf-8")
