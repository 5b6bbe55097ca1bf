"""Synthetic hearts, recorded at synthetic hospitals and written in the releases' own layouts.

Nothing here is a patient. Every release folder holds a file `MARKER` that says so.
"""

from __future__ import annotations

VERSION = "1"
"""Changes whenever the same seed gives other recordings."""
