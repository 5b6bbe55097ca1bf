"""What a result was made with."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from benchmark import __version__
from cohorts.hashing import ROOT

PACKAGES = (
    "numpy", "scipy", "pandas", "pyarrow", "h5py", "wfdb",
    "numba", "scikit-learn", "torch", "pytorch-lightning",
)  # fmt: skip


@functools.cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that can move a number."""
    found = {"leadboard": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@functools.cache
def source_commit() -> str | None:
    """Git commit of the suite's source, ``-dirty`` if it was changed, None outside of a checkout."""
    command = ("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    inside = (ROOT / ".git").exists() and answer.returncode == 0
    return answer.stdout.strip() or None if inside else None


def platform_name() -> str:
    """Operating system and processor type, without host name."""
    return f"{platform.system()} {platform.machine()}"


def software() -> dict[str, str]:
    """Versions of all that, with the platform and the commit of the suite."""
    return {**package_versions(), "platform": platform_name(), "commit": source_commit() or "unknown"}
