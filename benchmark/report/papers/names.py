"""Names of the tables that can be asked for; importing them costs nothing."""

from __future__ import annotations

from typing import Literal

TableName = Literal[
    "macro-auroc",
    "macro-auprc",
    "concepts",
    "subgroups",
    "calibration",
    "operating-points",
    "differences",
    "label-efficiency",
    "gaps",
    "next-hospital",
]
