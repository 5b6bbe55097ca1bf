"""What is said of each kind of doubt: what was seen, and what to do about it."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "unreadable": (
        "The recording cannot be read",
        "see the reason; correct the path, the format or the leads",
    ),
    "large": (
        "The largest lead has more than 8 mV in its usual second",
        "check whether gain and unit are right, such as mV for µV",
    ),
    "small": (
        "The largest lead has less than 0.45 mV in its usual second",
        "check whether gain and unit are right, such as mV for V",
    ),
    "names": ("Limb leads lie under each other's names: {}", "correct the names or the order of the leads"),
    "sign": (
        "Lead {} is inverted, by the laws of the other limb leads",
        "invert it; -aVR is another lead than aVR",
    ),
    "laws": (
        "The limb leads contradict each other (III = II - I, aVR = -(I + II) / 2, ...)",
        "check gains and order of the leads; they may have been filtered, or recorded, apart",
    ),
    "missing": ("Samples are missing", "nothing, if they are in the file; models get 0 in their place"),
    "flat": (
        "A lead stands still for more than half of the recording",
        "check the order of the leads and the file",
    ),
    "clipped": (
        "A lead is cut off at its highest or lowest value",
        "check the range of the numbers, and the gain",
    ),
    "hum": (
        "Hum of {} Hz has more than a fifth of the power of a lead",
        "look at the sheets; filtering is up to models",
    ),
    "arms": (
        "Doubtful: lead I mirrors V6, as with arm electrodes that were swapped",
        "look at the recordings",
    ),
    "slow": ("Fewer than 30 beats a minute, by the stated sampling rate", "check the sampling rate"),
    "fast": ("More than 220 beats a minute, by the stated sampling rate", "check the sampling rate"),
    "twice": ("The same signal under several ids", "check the paths; keep one of them"),
    "rates": (
        "The usual heart rate of the sample is {} a minute",
        "check whether the sampling rate is half or twice that",
    ),
}
"""Kind -> what was seen, with {} for the detail, and what to do."""
