"""What MkDocs calls: it adds the pages that are made from the code, and their places in the navigation.

They are made while the site is built and committed nowhere, so that none of them can lag behind the code. The
tests call the same functions; `make docs` fails on a link or an anchor that is not there.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # MkDocs takes it out again when this file has been imported

from docs.generate import cohort_pages, command_page, concept_pages, model_pages  # noqa: E402


@functools.cache  # `mkdocs serve` builds again and again
def generated() -> dict[str, str]:
    """Give the Markdown of every generated page by its place below docs/, in the order of the navigation."""
    guide = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    return {
        **cohort_pages.pages(),
        **model_pages.pages(guide),
        **concept_pages.pages(),
        "commands.md": command_page.page(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages of a folder below the entry that names its index."""
    config.nav = [_with_pages(entry) for entry in config.nav or ()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that lie in docs/."""
    for place, content in generated().items():
        files.append(File.generated(config, place, content=content))
    return files


def _with_pages(entry: dict[str, Any]) -> dict[str, Any]:
    ((title, place),) = entry.items()
    if not isinstance(place, str) or not place.endswith("/index.md"):
        return entry
    folder = place.removesuffix("index.md")
    below = [page for page in generated() if page.startswith(folder) and page != place]
    guide = [f"{folder.rstrip('/')}.md"] if (ROOT / "docs" / f"{folder.rstrip('/')}.md").is_file() else []
    return {title: [place, *guide, *below]}
