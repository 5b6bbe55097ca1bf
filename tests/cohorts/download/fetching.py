"""A small PTB-XL that a publisher on this machine offers, and fetching it."""

from __future__ import annotations

from pathlib import Path

from cohorts.download import Summary, download, plan_download
from tests.download_server import Publisher

PTB_XL = {
    "LICENSE.txt": b"CC BY 4.0\n",
    "RECORDS": b"records100/00000/00001_lr\n",
    "ptbxl_database.csv": b"ecg_id,patient_id\n1,15709\n",
    "records100/00000/00001_lr.hea": b"00001_lr 12 100 1000\n",
    "records100/00000/00001_lr.dat": bytes(range(256)) * 94,
    "records500/00000/00001_hr.dat": bytes(reversed(range(256))) * 470,
    "odd %41+#?.txt": b"odd",
}
DATA = "records500/00000/00001_hr.dat"
BASE = "/ptb-xl/1.0.3/"


def get(publisher: Publisher, root: Path, cohort: str = "ptb-xl", **options: bool) -> Summary:
    return download(plan_download(cohort, root, mirror=publisher.url, **options))


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
