"""What models are ranked by, and how tables name it."""

from __future__ import annotations

from typing import Literal

Metric = Literal["auroc", "auprc"]

METRICS: dict[Metric, str] = {"auroc": "AUROC", "auprc": "AUPRC"}
"""As tables name them."""
