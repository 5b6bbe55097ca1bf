"""All checks, none of which can make another one fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmark.run.doctor import of_folders, of_software
from benchmark.run.doctor.machine import Finding, Machine

Check = Callable[[Machine], Finding]

CHECKS: dict[str, Check] = {
    "folders": of_folders.folders,
    "home": of_software.home,
    "cache": of_folders.cache,
    "disk": of_folders.disk,
    "clock": of_folders.clock,
    "locale": of_software.language,
    "open files": of_software.open_files,
    "installations": of_software.installations,
    "numba": of_software.compiled_code,
    "gpu": of_software.accelerator,
    "releases": of_folders.releases,
    "stores": of_folders.stores,
    "weights": of_folders.weights,
}


def examine(machine: Machine) -> Iterator[Finding]:
    """Make one check after the other; one that fails itself is a problem, and the others go on."""
    for name, check in CHECKS.items():
        yield _made(name, check, machine)


def _made(name: str, check: Check, machine: Machine) -> Finding:
    try:
        return check(machine)
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the machine, the doctor says what it can
        do = "send the output of leadboard doctor --json with a bug report"
        return Finding(name, "problem", f"could not be looked at ({type(error).__name__})", do, (str(error),))


def worst(findings: Sequence[Finding]) -> bool:
    """Whether one of them is a problem."""
    return any(finding.status == "problem" for finding in findings)
