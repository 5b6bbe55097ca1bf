"""The machine and the account: the home folder, which may not be there, and what nobody else is to read."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
from pathlib import Path

from benchmark.text import readable
from cohorts.errors import UsageError

_SAY_NOTHING = frozenset({"admin", "guest", "localhost", "nobody", "root", "ubuntu", "user"})
"""Names of accounts and machines that many have."""

_QUOTED = re.compile(r"(?P<quote>['\"])/(?:[^'\"\n/]*/)+(?P<name>[^'\"\n/]+)/?(?P=quote)")
_PLAIN = re.compile(r"(?<![\w.~/-])/(?:[^\s'\"/:;,()\[\]<>]+/)+(?P<name>[^\s'\"/:;,()\[\]<>]+)")


def from_home(path: Path | str) -> Path:
    """Resolve ``~`` at the start of a path; UsageError where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"There is no home folder for {path}; write the path without '~'.") from None


def give_home() -> None:
    """Make sure that there is an answer to where the home folder is, if one below which nothing can be.

    Without any, some libraries fail, and some make a folder that is named ``~``.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.devnull


def unnamed(text: str) -> str:
    """Take from a sentence that may be published what says whose machine it comes from.

    Paths in the working folder become relative, those in the home folder begin with ``~``, and of others the
    last name is left. The names of the machine and of the account are blotted out.

    Examples
    --------
    >>> unnamed("No such file: '/mnt/of a hospital/w.pt'; see /opt/model/net.py:3 or https://a.org/b/c")
    "No such file: '…/w.pt'; see …/net.py:3 or https://a.org/b/c"
    """
    text = re.sub(r"\bfile:/+", "/", readable(text))
    for folder, instead in _folders():
        below = "" if instead == "." else f"{instead}/"
        text = re.sub(rf"(?<![\w.~-]){re.escape(folder)}/(?=\w)", below, text)
        text = re.sub(rf"(?<![\w.~-]){re.escape(folder)}(?![\w-]|\.\w)", instead, text)
    text = _QUOTED.sub(r"\g<quote>…/\g<name>\g<quote>", text)
    text = _PLAIN.sub(r"…/\g<name>", text)
    for name, instead in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, text, flags=re.IGNORECASE)
    return text


def _folders() -> list[tuple[str, str]]:
    """Give the working and the home folder, as named and without links, the longest first."""
    found = dict[str, str]()
    with contextlib.suppress(RuntimeError):
        found |= {str(Path.home()): "~", os.path.realpath(Path.home()): "~"}
    with contextlib.suppress(OSError):  # the working folder may be gone
        found |= {os.environ.get("PWD", "/"): ".", str(Path.cwd()): "."}
    apart = [(folder.rstrip("/"), instead) for folder, instead in found.items()]
    return sorted((one for one in apart if one[0] not in ("", os.devnull)), key=lambda one: -len(one[0]))


def _names() -> list[tuple[str, str]]:
    host = socket.gethostname()
    found = {host: "<host>", host.partition(".")[0]: "<host>"}
    with contextlib.suppress(KeyError, OSError, ImportError):
        found[getpass.getuser()] = "<user>"
    return sorted(
        (one for one in found.items() if len(one[0]) > 2 and one[0].lower() not in _SAY_NOTHING),
        key=lambda one: -len(one[0]),
    )
