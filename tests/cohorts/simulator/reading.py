"""Ways to read a simulated release that are none of the project's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import wfdb

SCALE = 0.15


def headers(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.hea"))


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def with_wfdb(header: Path) -> Any:
    return wfdb.rdrecord(str(header.with_suffix("")), physical=False)
