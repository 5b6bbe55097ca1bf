"""WFDB headers to be damaged, and headers of one line."""

from __future__ import annotations

import numpy as np


def edit(header, *replacements):
    text = header.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    header.write_text(text)


def signal_header(tmp_path, line, samples=4, channels=1):
    """A record of one signal line; its counts are 0, 1, 2, ..."""
    header = tmp_path / "s.hea"
    header.write_text(f"s {channels} 500 {samples}\n{line}\n")
    np.arange(samples * channels, dtype="<i2").tofile(tmp_path / "s.dat")
    return header
