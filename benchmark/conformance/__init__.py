"""Does a model keep the contract of `benchmark.models`? Tried on a mock cohort, without any data."""

from benchmark.conformance.outcome import CheckReport, CheckResult
from benchmark.conformance.suite import check_model

__all__ = ["CheckReport", "CheckResult", "check_model"]
