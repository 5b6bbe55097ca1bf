"""The first screen of a page in a browser: how it is opened and read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def opened(tab: tuple[Any, list[str]], folder: Path) -> Iterator[Any]:
    """Open the page of a board; at the end nothing was complained about and nobody was asked for anything."""
    page, wrong = tab
    address = (folder / "leaderboard.html").as_uri()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="screen", color_scheme="light")
    page.goto("about:blank")  # from one place of a page to another nothing would be loaded
    wrong.clear()
    page.goto(address)
    yield page
    complaints = [one for one in wrong if one.partition("#")[0] != address]
    assert not complaints


def settle(page: Any) -> None:
    """Let the page follow a new address or an opened table, of which it is told a little later."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def matrix(page: Any) -> dict[str, dict[str, str]]:
    """Model -> head of a column -> what the cell says, without its marks."""
    settle(page)
    found = page.evaluate(
        """() => {
          const heads = [...document.querySelectorAll(".matrix thead button")].map((one) => one.textContent);
          const text = (cell) => (cell.querySelector(".value") ?? cell.childNodes[0])?.textContent ?? "";
          const rows = [...document.querySelectorAll(".matrix tbody tr")];
          return rows.map((row) => [...row.cells].map(text).map((cell, at) => [heads[at], cell]));
        }"""
    )
    return {dict(row)["Model"]: dict(row) for row in found}


def models(page: Any) -> list[str]:
    """Give the names of the rows in their order."""
    return list(matrix(page))


def choice(page: Any, name: str) -> Any:
    """Find one of the choices above the matrix."""
    return page.locator(f"form.choices [name={name}]")


def on_the_screen(page: Any, where: str) -> list[str]:
    """Cells of tables that are shown and cut off, or that are cards without the name of their column."""
    found: list[str] = page.evaluate(
        """where => [...document.querySelectorAll(`${where} table:not(.wide) tbody :is(th, td)`)]
          .filter((cell) => cell.checkVisibility())
          .filter((cell) => {
            const { left, right } = cell.getBoundingClientRect();
            const named = !cell.closest(".cards") || cell.tagName === "TH"
              || getComputedStyle(cell, "::before").content.length > 2;
            return left < 0 || right > innerWidth || !named;
          }).map((cell) => cell.outerHTML)""",
        where,
    )
    return found
