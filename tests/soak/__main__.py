"""``python -m tests.soak``: try every fault again and again, and say what was lost."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

from tests.soak.faults import Fault, Tally, attempt
from tests.soak.processes import warm_up
from tests.soak.stage import Stage, set_stage


def all_faults(stage: Stage) -> list[Fault]:
    """The whole table."""
    from tests.soak.damaged import damages
    from tests.soak.disturbed import disturbances
    from tests.soak.fuzzed import fuzzings

    return [*disturbances(stage), *damages(stage), *fuzzings(stage)]


def soak(faults: list[Fault], home: Path, seconds: float, seed: int, rounds: int) -> list[Tally]:
    """Try the faults of each kind in turn, every kind for as long as the others.

    Parameters
    ----------
    rounds
        Times that each fault is tried at most; 0 to go on until the time is over.
    """
    kinds = list(dict.fromkeys(fault.kind for fault in faults))
    tallies = {fault.name: Tally(fault) for fault in faults}
    ends = time.monotonic()
    for kind in kinds:
        ends += seconds / len(kinds)
        of_kind = [fault for fault in faults if fault.kind == kind]
        for number, fault in enumerate(cycle(of_kind)):
            turn = number // len(of_kind)
            if (rounds and turn >= rounds) or (not rounds and turn and time.monotonic() > ends):
                break
            _try(tallies[fault.name], seed + turn, home)
    return list(tallies.values())


def _try(tally: Tally, seed: int, home: Path) -> None:
    started = time.monotonic()
    tried, lost = attempt(tally.fault, seed, home)
    tally.tried += tried
    tally.seconds += time.monotonic() - started
    if lost:
        tally.lost.append((seed, lost))
        print(f"LOST  {tally.fault.name}, {lost}\n      {repeat(tally.fault, seed)}", flush=True)


def repeat(fault: Fault, seed: int) -> str:
    """The command that tries it once more."""
    return f"python -m tests.soak --only '{fault.name}' --seed {seed} --rounds 1"


def print_tallies(tallies: list[Tally]) -> None:
    """Print the table: fault, how it was tried, how often, what was lost."""
    print(f"\n{'fault':52} {'tried':>9} {'lost':>5}  how")
    for tally in tallies:
        fault = tally.fault
        print(f"{fault.name:52} {tally.tried:>9,} {len(tally.lost):>5}  {fault.how}")
    lost = sum(len(tally.lost) for tally in tallies)
    print(f"\n{sum(tally.tried for tally in tallies):,} trials, {lost:,} with a loss.")


def main() -> int:
    """Exit code 1 if anything was lost, 2 if no fault has such a name."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="evenly split between the kinds of fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], help="name of a fault, or a kind of them")
    parser.add_argument("--rounds", type=int, default=0, help="times that each is tried, instead of minutes")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        with set_stage(folder) as stage:
            faults = [
                fault
                for fault in all_faults(stage)
                if not options.only or {fault.name, fault.kind} & set(options.only)
            ]
            if not faults:
                print(f"No fault is named {', '.join(options.only)}.", file=sys.stderr)
                return 2
            warm_up(training=any("train" in fault.what for fault in faults))
            tallies = soak(faults, folder / "trial", 60 * options.minutes, options.seed, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_tallies(tallies)
    return 1 if any(tally.lost for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
