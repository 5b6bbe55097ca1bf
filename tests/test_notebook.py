"""The notebook of the documentation runs, and shows what it printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs/notebooks").glob("*.ipynb"))


def printed(notebook: Any) -> list[list[str]]:
    """Everything that each cell has shown, as text."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[str(one["data"]["text/plain"]) for one in cell.outputs] for cell in cells]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_notebook_shows_what_it_prints(page: Path) -> None:
    """``pytest --override-ini addopts= --nbmake --overwrite docs/notebooks`` prints it again."""
    import nbformat  # takes seconds, as the import of jsonschema does
    from nbmake.nb_run import NotebookRun

    shown = nbformat.read(page, 4)
    found = NotebookRun(page, 120).execute()
    assert found.error is None, found.error
    assert printed(found.nb) == printed(shown)
    assert any("image/png" in one.get("data", {}) for cell in shown.cells for one in cell.get("outputs", []))
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"/(tmp|home|root|work|Users)/|stderr", text)


def test_there_is_one() -> None:
    assert [page.name for page in PAGES] == ["first_results.ipynb"]
