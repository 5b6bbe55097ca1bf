"""Templates of the pages, in which whatever others wrote is escaped and can be seen."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmark.text import visible


def templates(folder: str) -> Environment:
    """Give the templates of a folder of this room; whoever renders one compiles it once a process."""
    return Environment(
        loader=PackageLoader("benchmark.report", folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def digest(text: str) -> str:
    """Hash a style or a script, as a page's policy names those that the browser may use."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _shown(value: Any) -> Any:
    """What a value of a page becomes before it is escaped: text has no characters that cannot be seen."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value, " ")
