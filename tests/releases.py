"""Tiny releases in native layout, written without any reader of the project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")


def make_signal(seed: int, samples: int, strength: float, rate: float = 500.0) -> np.ndarray:
    """Counts ``[12, samples]`` at 1 uV: noise, and a 7 Hz wave whose size a model can learn."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    wave = strength * 400 * np.sin(2 * np.pi * 7 * time + rng.uniform(0, 6))
    independent = rng.normal(0, 60, (8, samples)) + wave
    one, two = independent[0], independent[1]
    limb = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    return np.rint(np.concatenate([limb, independent[2:]])).astype(np.int16)


def write_record(
    folder: Path,
    name: str,
    counts: np.ndarray,
    rate: int,
    comments: Sequence[str] = (),
    mat: bool = False,
    leads: Sequence[str] = LEADS,
) -> None:
    """Write one format-16 record: plain ``.dat``, or behind the 24 bytes of a ``.mat`` file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{name}.mat" if mat else f"{name}.dat"
    head = b"\0" * 24 if mat else b""
    (folder / file).write_bytes(head + np.ascontiguousarray(counts.T).astype("<i2").tobytes())
    lines = [f"{name} {len(counts)} {rate} {counts.shape[1]}"]
    for lead, row in zip(leads, counts, strict=True):
        total = int(row.astype(np.int64).sum() & 0xFFFF)
        total = total - 0x10000 if total >= 0x8000 else total
        layout = "16+24 1000/mV" if mat else "16 1000.0(0)/mV"
        lines.append(f"{file} {layout} 16 0 {row[0]} {total} 0 {lead}")
    (folder / f"{name}.hea").write_text("\n".join([*lines, *comments]) + "\n")


def write_ptb_xl(root: Path, records: int = 120, seed: int = 0) -> None:
    """Write ``root/ptb-xl`` at 500 Hz: ten folds, two records a patient, every other patient in AF."""
    folder = root / "ptb-xl"
    rows = []
    for i in range(1, records + 1):
        patient = (i + 1) // 2
        sick = patient % 2 == 0
        counts = make_signal(seed * 100_000 + i, 5000, 1.0 if sick else 0.2)
        write_record(folder / "records500" / "00000", f"{i:05d}_hr", counts, 500)
        codes = {"AFIB": 0.0, "LVH": 100.0} if sick else {"NORM": 100.0, "SR": 0.0}
        rows.append(
            {
                "ecg_id": i,
                "patient_id": float(patient),
                "age": 30.0 + patient % 50,
                "sex": patient % 2,
                "report": "vorhofflimmern" if sick else "sinusrhythmus",
                "scp_codes": str(codes),
                "strat_fold": patient // 2 % 10 + 1,
                "filename_lr": f"records100/00000/{i:05d}_lr",
                "filename_hr": f"records500/00000/{i:05d}_hr",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "ptbxl_database.csv", index=False)


def write_challenge(root: Path, folder: str = "georgia", records: int = 40, seed: int = 1) -> None:
    """Write one folder of the Challenge 2021 tree; every other record in fibrillation."""
    for i in range(1, records + 1):
        sick = i % 2 == 0
        counts = make_signal(seed * 100_000 + i, 5000, 1.0 if sick else 0.2)
        codes = "164889003,164873001" if sick else "426783006"
        comments = (f"#Age: {40 + i % 30}", "#Sex: Female" if i % 3 else "#Sex: Male", f"#Dx: {codes}")
        write_record(
            root / "challenge-2021/training" / folder / "g1", f"E{i:05d}", counts, 500, comments, mat=True
        )
