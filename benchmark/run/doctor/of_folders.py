"""Checks of the cache, the disk below it, the clock, releases, stores and weights."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

from benchmark.models.plugins import find_model, installed_models
from benchmark.protocols.published import command_for_weights, find_published
from benchmark.run.doctor.machine import Finding, Machine, Release, nearest_folder
from cohorts.catalogue import is_private
from cohorts.counts import plural
from cohorts.errors import LeadboardError
from cohorts.hashing import ROOT
from cohorts.preparing import why_outdated

LEAST_FREE = 5 * 2**30
RECORD = 12 * 5_000 * 2
"""Bytes of a recording of 10 s at 500 Hz in a store."""

MOUNTS = Path("/proc/mounts")
NETWORKED = ("nfs", "cifs", "smb", "fuse.sshfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "9p", "afs")
LOCAL_LOCKS = ("nolock", "local_lock=all", "local_lock=flock")

APART = 60.0
"""Seconds that two clocks may be apart."""

UNKNOWN = "not looked at: the folders are not known"


def folders(machine: Machine) -> Finding:
    """Look whether the folders of this call can be found."""
    if machine.places is None or machine.wrong:
        do = "correct --data, --cache, LEADBOARD_DATA, LEADBOARD_CACHE or leadboard.toml, and call it from "
        do += "a folder that is there"
        return Finding("folders", "problem", "the folders of this call cannot be used", do, (machine.wrong,))
    data, cache = machine.places.data, machine.places.cache
    where = (f"data: {data or 'none'}", f"cache: {cache}")
    if data is None:
        return Finding("folders", "note", "no folder of releases is named", "give it with --data", where)
    return Finding("folders", "fine", "data and cache are named", where=where)


def cache(machine: Machine) -> Finding:
    """Write into the cache, and let two hold the same lock of it."""
    if machine.cache is None:
        return Finding("cache", "note", UNKNOWN)
    there, do = machine.cache.is_dir(), "name another folder with --cache or LEADBOARD_CACHE"
    made = [place for place in (machine.cache, *machine.cache.parents) if not place.exists()]
    try:
        machine.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=machine.cache, prefix=".doctor-") as scratch:
            why = _why_no_lock(Path(scratch) / "lock")
    except OSError as error:
        why_not = error.strerror or type(error).__name__
        return Finding(
            "cache", "problem", f"the cache cannot be written to ({why_not})", do, (str(machine.cache),)
        )
    finally:
        for place in made if not there else ():
            with contextlib.suppress(OSError):
                place.rmdir()
    kind, options = _mounted(machine.cache)
    networked = any(kind.startswith(name) for name in NETWORKED)
    if not why and networked and any(option in options for option in LOCAL_LOCKS):
        why = "its locks hold on this machine alone"
    if why:
        disk = f"the cache lies on {kind}, and {why}" if networked else f"in the cache {why}"
        return Finding("cache", "problem", disk, f"mount it with locks, or {do}", (str(machine.cache),))
    if networked:
        found = (
            f"can be written to and has locks ({kind}); that they hold between machines nobody can see here"
        )
        return Finding("cache", "fine", found)
    return Finding("cache", "fine", "can be written to, and has locks")


def _why_no_lock(path: Path) -> str:
    first, second = FileLock(path, fallback_to_soft=False), FileLock(path, fallback_to_soft=False)
    try:
        with first.acquire(timeout=0):
            try:
                second.acquire(timeout=0)
            except Timeout:
                return ""
            second.release()
            return "two can hold the same lock"
    except (OSError, NotImplementedError) as error:
        return f"files cannot be locked ({getattr(error, 'strerror', None) or type(error).__name__})"


def _mounted(folder: Path) -> tuple[str, str]:
    """Give kind and options of the file system that holds a folder; nothing where nobody says."""
    place, best = nearest_folder(folder).resolve(), ("", "", "")
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", ""
    for line in lines:
        cells = line.split()
        if len(cells) > 3 and place.is_relative_to(cells[1]) and len(cells[1]) >= len(best[0]):
            best = (cells[1], cells[2], cells[3])
    return best[1:]


def disk(machine: Machine) -> Finding:
    """Compare the room below the cache with what the releases here will take."""
    if machine.cache is None:
        return Finding("disk", "note", UNKNOWN)
    free = shutil.disk_usage(nearest_folder(machine.cache)).free
    waiting = sum(one.records or 0 for one in machine.releases if one.store is None)
    wanted = LEAST_FREE + waiting * RECORD
    found = f"{free / 2**30:,.1f} GiB free for the cache"
    if free >= wanted:
        return Finding("disk", "fine", found)
    stores = (
        f", {waiting * RECORD / 2**30:,.1f} GiB for {plural(waiting, 'record')} to be prepared"
        if waiting
        else ""
    )
    return Finding(
        "disk",
        "problem",
        f"{found}, and about {wanted / 2**30:,.1f} GiB are wanted{stores}",
        "free some space, or name a folder on another disk with --cache",
    )


def clock(machine: Machine) -> Finding:
    """Compare the clock with files that were written before now, and with the clock of the cache's disk."""
    now, do = time.time(), "set the clock (timedatectl set-ntp true): what is up to date is told by times"
    if (ROOT / "benchmark/__init__.py").stat().st_mtime > now + 86_400:
        return Finding("clock", "problem", "this package was written after what the clock says", do)
    place = None if machine.cache is None else nearest_folder(machine.cache)
    if place is None:
        return Finding("clock", "fine", "later than this package")
    stores = machine.cache / "stores" if machine.cache is not None else place
    if any(path.stat().st_mtime > now + APART for path in stores.glob("*.h5")):
        return Finding("clock", "problem", "stores were written after what the clock says", do)
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
            apart = Path(file.name).stat().st_mtime - time.time()
    except OSError:  # which is what the check of the cache is for
        return Finding("clock", "fine", "later than this package")
    if abs(apart) > APART:
        found = f"the disk of the cache has a clock that is {apart:+,.0f} s apart from this machine's"
        return Finding("clock", "problem", found, do)
    return Finding("clock", "fine", "later than what was written, and the same as the disk's")


def releases(machine: Machine) -> Finding:
    """Look for releases of which a part is missing."""
    if machine.places is None:
        return Finding("releases", "note", UNKNOWN)
    partial = [one for one in machine.releases if _lacks(one)]
    unread = [one for one in machine.releases if one.records is None]
    if unread:
        found = f"{_named(unread)} cannot be read"
        return Finding("releases", "problem", found, "see why: leadboard cohorts", _private(unread))
    if partial:
        parts = ", ".join(
            f"{one.release.card.id} {one.records:,} of {one.release.card.records:,}" for one in partial
        )
        return Finding(
            "releases",
            "problem",
            f"only a part is here: {parts} records",
            "leadboard download COHORT fetches the rest; numbers of a part are not those of the release",
        )
    return Finding("releases", "fine", f"{len(machine.releases)} here, none of them known to lack a record")


def _lacks(one: Release) -> bool:
    card = one.release.card
    return not card.simulated and one.records is not None and one.records < (card.records or 0)


def stores(machine: Machine) -> Finding:
    """Look for prepared cohorts that are not up to date any more."""
    if machine.cache is None:
        return Finding("stores", "note", UNKNOWN)
    old = [(one, why) for one in machine.releases if (why := why_outdated(one.release, machine.cache))]
    if not old:
        ready = sum(one.store is not None for one in machine.releases)
        return Finding(
            "stores", "fine", f"{ready} of {plural(len(machine.releases), 'cohort')} prepared, all up to date"
        )
    words = "; ".join(dict.fromkeys(why for _, why in old))
    ones = [one for one, _ in old]
    return Finding(
        "stores",
        "problem",
        f"old: {_named(ones)} ({words})",
        "leadboard prepare makes them again; so does the next run",
        _private(ones),
    )


def weights(machine: Machine) -> Finding:
    """Look for published weights that are damaged, or wanted and not here."""
    if machine.cache is None:
        return Finding("weights", "note", UNKNOWN)
    if isinstance(machine.torch, str):  # models need it, and importing it may end this process
        return Finding("weights", "note", "not looked at: torch cannot be imported")
    missing: dict[str, str] = {}
    wrong: dict[str, str] = {}
    here = 0
    for name in machine.models or installed_models():
        try:
            source = find_model(name)
            command = command_for_weights(source)
            if command is None:
                continue
            if find_published(source, machine.cache) is None:
                missing[source.card.name] = command
            else:
                here += 1
        except LeadboardError as error:
            wrong[name] = str(error)
    if wrong:
        found = f"cannot be used: {', '.join(wrong)}"
        return Finding("weights", "problem", found, "see below, or leadboard models", tuple(wrong.values()))
    if missing:
        found = f"weights of {len(missing)} published models are not here: {', '.join(missing)}"
        do = "leadboard weights MODEL --file FILE (docs/models.md), if they are wanted"
        where = tuple(missing.values()) if machine.models else ()
        return Finding("weights", "problem" if machine.models else "note", found, do, where)
    return Finding("weights", "fine", f"of {here} published models here and whole")


def _named(ones: list[Release]) -> str:
    """Name cohorts, but for private ones."""
    ids = [one.release.card.id for one in ones]
    known = [name for name in ids if not is_private(name)]
    private = len(ids) - len(known)
    return ", ".join([*known, *([f"{private} private"] if private else [])])


def _private(ones: list[Release]) -> tuple[str, ...]:
    """Name the private ones, for whoever sits here."""
    return tuple(one.release.card.id for one in ones if is_private(one.release.card.id))
