"""A commented description to start from: `leadboard new-cohort`."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from cohorts.errors import UsageError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST = 40
FILE = "cohort.toml"

_TEMPLATE = Path(__file__).with_name("cohort.toml.template")


def write_template(name: str, folder: Path) -> Path:
    """Write ``cohort.toml`` into a folder, beside the data.

    Parameters
    ----------
    name
        Id of the cohort.

    Raises
    ------
    UsageError
        If the name will not do, there is a description already, or it cannot be written.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name[:LONGEST]!r} cannot be the id of a cohort; take small letters, digits and -, such as "
            "my-hospital."
        )
    file = folder / FILE
    title = name.replace("-", " ").capitalize()
    text = Template(_TEMPLATE.read_text("utf-8")).substitute(name=name, title=title, file=file.as_posix())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already; edit it, or choose another --out.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another --out.") from None
    return file
