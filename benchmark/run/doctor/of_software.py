"""Checks of what is installed and how the process was started."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark import __version__
from benchmark.run.doctor.machine import Finding, Machine

DRIVERS = Path("/dev")
SIGNS = ("nvidiactl", "nvidia0", "dxg")
"""Of a driver of NVIDIA's, also below Windows."""

FEWEST_FILES = 1024


def accelerator(machine: Machine) -> Finding:
    """Look for a GPU that torch cannot use."""
    here = any((DRIVERS / sign).exists() for sign in SIGNS)
    torch = machine.torch
    if isinstance(torch, str):
        return Finding("gpu", "problem", f"torch cannot be imported ({torch})", "install torch again")
    if torch.devices:
        return Finding("gpu", "fine", f"torch {torch.version}, CUDA {torch.cuda}, {torch.devices} device(s)")
    if not here:
        return Finding("gpu", "fine", f"torch {torch.version}; no NVIDIA GPU here: processors are used")
    if torch.cuda is None:
        return Finding(
            "gpu",
            "problem",
            f"there is an NVIDIA GPU, and torch {torch.version} is built for processors alone",
            "install the build for CUDA, with the command that pytorch.org/get-started gives",
        )
    return Finding(
        "gpu",
        "problem",
        f"there is an NVIDIA GPU, and torch {torch.version} (CUDA {torch.cuda}) cannot use it",
        "see what nvidia-smi says, that CUDA_VISIBLE_DEVICES is not empty, and that the driver is new enough",
    )


def language(machine: Machine) -> Finding:
    """Look for a locale that is not installed, or an alphabet that has few letters."""
    before = locale.setlocale(locale.LC_ALL)
    do = "set LC_ALL=C.UTF-8 (or en_US.UTF-8) before the command"
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        return Finding("locale", "problem", "LC_ALL or LANG names a locale that is not installed here", do)
    finally:
        locale.setlocale(locale.LC_ALL, before)
    spoken = {"names of files": sys.getfilesystemencoding(), "the terminal": _encoding(sys.stdout)}
    poor = [f"{what} {how}" for what, how in spoken.items() if how.lower().replace("-", "") != "utf8"]
    if poor:
        return Finding("locale", "problem", f"not UTF-8: {', '.join(poor)}", do)
    return Finding("locale", "fine", "UTF-8")


def _encoding(stream: Any) -> str:
    return str(getattr(stream, "encoding", None) or "utf-8")


def installations(machine: Machine) -> Finding:
    """Look for two installations of this package that may take each other's place."""
    copies = {
        str(Path(str(found.locate_file(""))).resolve()): found.version
        for found in importlib.metadata.distributions(name="leadboard")
    }
    versions = sorted(set(copies.values()))
    where = tuple(f"{version} in {place}" for place, version in copies.items())
    do = "'python -m pip uninstall leadboard' until none is left, then install one"
    if len(copies) > 1:
        found = f"{len(copies)} installations can be imported, of version {' and '.join(versions)}"
        return Finding("installations", "problem", found, do, where)
    if versions and versions != [__version__]:
        return Finding(
            "installations",
            "problem",
            f"version {__version__} is running, and {versions[0]} is installed",
            "install this copy again ('python -m pip install .'), or call from another folder",
            where,
        )
    if others := _other_commands():
        return Finding(
            "installations",
            "problem",
            "the command 'leadboard' of the PATH is that of another Python",
            "activate the environment that is meant, or call 'python -m benchmark'",
            tuple(others),
        )
    return Finding("installations", "fine", f"one, version {__version__}")


def _other_commands() -> list[str]:
    """Give the first command of this name on the PATH, if it is not of this environment."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        command = Path(folder or ".") / "leadboard"
        if command.is_file() and os.access(command, os.X_OK):
            return [] if Path(folder).resolve() == Path(sys.prefix, "bin").resolve() else [str(command)]
    return []


def compiled_code(machine: Machine, function: Callable[..., Any] | None = None) -> Finding:
    """Look for a place where numba may keep machine code.

    Parameters
    ----------
    function
        Whose code would be kept; one of the suite's if not given.
    """
    from numba.core.caching import NullCache

    from benchmark.metrics.compiled import compiled

    dispatcher: Any = compiled(function or compiled_code)
    if not isinstance(dispatcher._cache, NullCache):
        return Finding("numba", "fine", "compiled code is kept for the next call")
    return Finding(
        "numba",
        "problem",
        "compiled code cannot be kept, so each call compiles for some seconds",
        "set NUMBA_CACHE_DIR to a folder that can be written to",
    )


def home(machine: Machine) -> Finding:
    """Look for a home folder."""
    do = "set HOME to a folder that can be written to; for stores alone, LEADBOARD_CACHE will do"
    try:
        place = Path.home()
    except RuntimeError:
        return Finding("home", "problem", "no home folder is known", do)
    if str(place) == os.devnull or not place.is_dir():
        return Finding("home", "problem", "the home folder is not there", do, (str(place),))
    return Finding("home", "fine", "there is one", where=(str(place),))


def open_files(machine: Machine) -> Finding:
    """Look for a limit of open files that a run would meet."""
    try:
        import resource
    except ImportError:  # Windows
        return Finding("open files", "fine", "no limit is known here")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FEWEST_FILES:
        return Finding("open files", "fine", f"{soft:,} may be open" if soft >= 0 else "no limit")
    enough = hard == resource.RLIM_INFINITY or hard >= FEWEST_FILES
    do = (
        "'ulimit -n 4096' before the command"
        if enough
        else "ask whoever runs the machine for 4096 (ulimit -Hn)"
    )
    return Finding("open files", "problem", f"only {soft:,} files may be open at once", do)
