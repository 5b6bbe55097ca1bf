"""Fetch a release from its publisher, verify it, go on after a cut.

``plan_download`` looks at what there is to do, ``download`` does it::

    plan = plan_download("georgia", Path("data"))
    print(plan.publication.card.licence, plan.bytes, plan.free)
    summary = download(plan, progress)
    print(summary.text)
"""

from __future__ import annotations

from cohorts.download.planning import Plan, plan_download
from cohorts.download.run import Failure, Summary, download

__all__ = ["Failure", "Plan", "Summary", "download", "plan_download"]
