"""Write simulated releases: the entry of the simulator."""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cohorts.catalogue import find_cohort
from cohorts.cohort import MARKER
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.locks import alone
from cohorts.simulator import VERSION
from cohorts.simulator.recordings import Simulated, record_count, recordings_of
from cohorts.simulator.sites import SITES
from cohorts.simulator.writers import (
    brugada_huca,
    challenge,
    code,
    ecg_arrhythmia,
    echonext,
    heedb,
    hefei,
    incartdb,
    ludb,
    mimic_iv_ecg,
    mimic_iv_ecg_ext_icd,
    ptb_xl,
    ptbdb,
    sph,
    zzu_pecg,
)

Progress = Callable[[int, int], None]
"""Takes how many recordings of how many are done."""


@dataclass(frozen=True)
class Release:
    """How one release is made.

    Attributes
    ----------
    cohort_id
        Whose release it is.
    write
        Writes recordings into the folder.
    sites
        Whose recordings it holds. Releases that name the same site hold the same recordings.
    default
        Whether it is part of the default suite.
    """

    cohort_id: str
    write: Callable[..., None]
    sites: tuple[str, ...]
    default: bool = False

    @property
    def folder(self) -> str:
        """Where it lies below the data root, by the cohort's card."""
        return find_cohort(self.cohort_id).card.folder


_ALL = (
    Release("ptb-xl", ptb_xl.write, ("ptb-xl",), default=True),
    Release("cpsc-2018", challenge.write, ("cpsc_2018",), default=True),
    Release("cpsc-2018-extra", challenge.write, ("cpsc_2018_extra",)),
    Release("chapman-shaoxing", challenge.write, ("chapman_shaoxing",), default=True),
    Release("ningbo", challenge.write, ("ningbo",), default=True),
    Release("georgia", challenge.write, ("georgia",), default=True),
    Release("ptb", challenge.write, ("ptb",)),
    Release("incart", challenge.write, ("incart",)),
    Release("challenge-ptb-xl", challenge.write, ("ptb-xl",)),
    Release("sph", sph.write, ("sph",), default=True),
    Release("code-15", code.write_code_15, ("code-15",), default=True),
    Release("code-test", code.write_code_test, ("code-test",), default=True),
    Release("ludb", ludb.write, ("ludb",), default=True),
    Release("mimic-iv-ecg", mimic_iv_ecg.write, ("mimic-iv-ecg",), default=True),
    Release("zzu-pecg", zzu_pecg.write, ("zzu-pecg",), default=True),
    Release("ptbdb", ptbdb.write, ("ptb",)),
    Release("incartdb", incartdb.write, ("incart",)),
    Release("ecg-arrhythmia", ecg_arrhythmia.write, ("chapman_shaoxing", "ningbo")),
    Release("echonext", echonext.write, ("echonext",)),
    Release("brugada-huca", brugada_huca.write, ("brugada-huca",)),
    Release("sami-trop", code.write_sami_trop, ("sami-trop",)),
    Release("hefei", hefei.write, ("hefei",)),
    Release("heedb-mgh", heedb.write, ("heedb-mgh",)),
    Release("heedb-emory", heedb.write, ("heedb-emory",)),
    Release("mimic-iv-ecg-ext-icd", mimic_iv_ecg_ext_icd.write, ("mimic-iv-ecg",)),
)
RELEASES = {release.cohort_id: release for release in _ALL}
"""Every release that can be simulated, by cohort id."""

WORKSHOP = ".partial"
"""Folder below the data root in which releases are written, by one call at a time."""


def simulate(
    out: Path,
    seed: int = 0,
    sites: Sequence[str] | None = None,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write synthetic copies of releases, each in its own layout.

    The recordings of a release depend on the seed and the scale only, not on which other releases
    are written. Two releases that contain each other hold the same recordings.

    Parameters
    ----------
    out
        The data root; releases come to lie below it as the adapters expect them.
    sites
        Cohort ids; the default suite if not given.
    scale
        Relative number of recordings.
    progress
        Called after every recording.

    Returns
    -------
    list of Path
        The folders of the releases, in the order asked.

    Raises
    ------
    UnknownNameError
        If there is no release of that name to simulate.
    UsageError
        If a release's folder holds something that the simulator has not made, or is none.
    LeadboardError
        If the releases cannot be written.
    """
    names = [name for name, release in RELEASES.items() if release.default] if sites is None else list(sites)
    for name in names:
        if name not in RELEASES:
            raise UnknownNameError("simulated release", name, RELEASES)
    if not 0 < scale <= 1000:
        raise UsageError(f"A scale of {scale:g} is not above 0 and at most 1000.")
    if seed < 0:
        raise UsageError(f"The seed {seed} is negative; give 0 or more.")
    total = sum(record_count(SITES[site], scale) for name in names for site in RELEASES[name].sites)
    counter = _Counter(progress, total)
    try:
        return [_simulate_release(Path(out), RELEASES[name], seed, scale, counter) for name in names]
    except OSError as error:
        wrong = isinstance(error, FileExistsError | NotADirectoryError | PermissionError)
        raise (UsageError if wrong else LeadboardError)(
            f"Simulated releases cannot be written to {out} ({error.strerror or error}); choose another "
            "folder, or free some space."
        ) from None


def _simulate_release(out: Path, release: Release, seed: int, scale: float, counter: _Counter) -> Path:
    """Write one release into an empty folder."""
    folder, text = out / release.folder, _marker_text(seed, scale)
    if _is_simulated(folder, text):
        return folder  # without the lock: it may lie where nobody may write
    workshop = out / WORKSHOP  # so that a killed call leaves no half release in a place where it is found
    workshop.mkdir(parents=True, exist_ok=True)
    with alone(out / f"{WORKSHOP}.lock", f"simulating into {out}"):
        if not _is_simulated(folder, text):
            _write_release(out, release, text, counter, seed, scale)
        shutil.rmtree(workshop, ignore_errors=True)
    return folder


def _is_simulated(folder: Path, text: str) -> bool:
    marker = folder / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8", errors="replace") == text


def _write_release(
    out: Path, release: Release, text: str, counter: _Counter, seed: int, scale: float
) -> None:
    folder = out / release.folder
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise UsageError(
            f"{folder} holds files that are not simulated; choose another folder for simulated releases."
        )
    shutil.rmtree(out / WORKSHOP, ignore_errors=True)  # of a call that was killed
    partial = out / WORKSHOP / release.folder
    partial.mkdir(parents=True)
    (partial / MARKER).write_text(text, encoding="utf-8")
    release.write(
        partial, *(counter.counted(recordings_of(SITES[site], seed, scale)) for site in release.sites)
    )
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(folder)


def _marker_text(seed: int, scale: float) -> str:
    """Say that nobody in a release exists, and what it was made with."""
    return (
        "Synthetic recordings. There are no patients here: every recording, age, report and diagnosis was\n"
        "made by a mathematical model of the heart. Results on these files say nothing about medicine.\n"
        f"generator version: {VERSION}, source {_source_hash()}\nseed: {seed}\nscale: {scale:g}\n"
    )


@functools.cache
def _source_hash() -> str:
    """Hash the simulator's own code: a change of it makes the releases on disk out of date."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class _Counter:
    """Tells the progress over all releases."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.tell = progress
        self.total = total
        self.done = 0

    def counted(self, recordings: Iterable[Simulated]) -> Iterator[Simulated]:
        """Pass recordings on and count them."""
        for recording in recordings:
            yield recording
            self.done += 1
            if self.tell is not None:
                self.tell(self.done, self.total)
