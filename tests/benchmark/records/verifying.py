"""What a verification finds, and its words."""

from __future__ import annotations

from pathlib import Path

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.records.findings import Verification
from benchmark.records.verification import verify
from benchmark.run.cohorts import labelled

GEORGIA = "records/as-is/georgia.json"


def check(path: Path, places: Places | None) -> Verification:
    stores = labelled(places, Reporter()) if places else lambda cohort, signals=True: None
    return verify(path, stores)


def said(found: Verification) -> str:
    return "\n".join(f"{where}: {what}" for where, what in found.differences)
