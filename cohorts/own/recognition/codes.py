"""The codes of a column as rows of a vocabulary that its owner fills in, with the concepts they may mean."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

from cohorts.ontology.names import concept_meant
from cohorts.own.recognition import column_names as known

HEADER = ("code", "concept", "relation", "note")

_WHOLE = re.compile(r"\b(?:kompletter|komplett|vollstaendiger|complete)\s+")
"""Words that a block of a bundle is called by where nothing more than its usual name is meant."""

PHRASES = {
    "sinusrhythmus": "NSR",
    "normofrequentersinusrhythmus": "NSR",
    "regelmaessigersinusrhythmus": "NSR",
    "sr": "NSR",
    "normalbefund": "NORM",
    "normalesekg": "NORM",
    "unauffaelligesekg": "NORM",
    "unauffaelligerbefund": "NORM",
    "sinusarrhythmie": "SA",
    "vhf": "AF",
    "vhfli": "AF",
    "tachykardesvorhofflimmern": "AFRVR",
    "tachyarrhythmiaabsoluta": "AFRVR",
    "vorhofflimmernmitschnellerueberleitung": "AFRVR",
    "lsb": "LBBB",
    "rsb": "RBBB",
    "inkompletterlinksschenkelblock": "ILBBB",
    "inkompletterrechtsschenkelblock": "IRBBB",
    "inklsb": "ILBBB",
    "inkrsb": "IRBBB",
    "ilsb": "ILBBB",
    "irsb": "IRBBB",
    "lah": "LAnFB",
    "lahb": "LAnFB",
    "linksanteriorerfaszikelblock": "LAnFB",
    "lphb": "LPFB",
    "bifaszikulaererblock": "BIFB",
    "avblock1grades": "IAVB",
    "avblockigrades": "IAVB",
    "avblock1grad": "IAVB",
    "avblockigrad": "IAVB",
    "avblock2grades": "IIAVB",
    "avblockiigrades": "IIAVB",
    "avblock2grad": "IIAVB",
    "avblockiigrad": "IIAVB",
    "avblock3grades": "IIIAVB",
    "avblockiiigrades": "IIIAVB",
    "avblock3grad": "IIIAVB",
    "avblockiiigrad": "IIIAVB",
    "totaleravblock": "IIIAVB",
    "supraventrikulaereextrasystolen": "PAC",
    "supraventrikulaereextrasystole": "PAC",
    "supraventrikulaereextrasystolie": "PAC",
    "sves": "PAC",
    "ventrikulaereextrasystolen": "PVC",
    "ventrikulaereextrasystole": "PVC",
    "ventrikulaereextrasystolie": "PVC",
    "ves": "PVC",
    "ventrikulaererbigeminus": "PVCbig",
    "schrittmacherrhythmus": "PR",
    "schrittmacherekg": "PR",
    "ventrikulaererschrittmacherrhythmus": "VPACE",
    "knotenrhythmus": "JUNC",
    "junktionalerrhythmus": "JUNC",
    "ventrikulaeretachykardie": "VT",
    "supraventrikulaeretachykardie": "SVT",
    "linkshypertrophie": "LVH",
    "rechtshypertrophie": "RVH",
    "hinterwandinfarkt": "IMI",
    "inferiorermyokardinfarkt": "IMI",
    "vorderwandinfarkt": "AMI",
    "anteriorermyokardinfarkt": "AMI",
    "stsenkung": "STD",
    "stsenkungen": "STD",
    "sthebung": "STE",
    "sthebungen": "STE",
    "tnegativierung": "TInv",
    "tnegativierungen": "TInv",
    "tinversion": "TInv",
    "ueberdrehterlinkstyp": "LAD",
    "niedervoltage": "LQRSV",
    "periphereniedervoltage": "LQRSV",
    "wpwsyndrom": "WPW",
    "praeexzitation": "WPW",
    "verlaengerteqtzeit": "LQT",
    "qtverlaengerung": "LQT",
    "qtzeitverlaengerung": "LQT",
    "verlaengertepqzeit": "LPR",
}
"""What hospitals write in German, in letters as `letters` gives them -> concept. A proposal, for its owner to
decide."""


def rows_to_fill_in(counts: Mapping[str, int]) -> str:
    """Write codes as a vocabulary without relations, the most frequent first.

    Parameters
    ----------
    counts
        Number of ECGs that each code stands in.
    """
    first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for code, count in first:
        writer.writerow((code, proposed(code) or "", "", f"in {count:,} ECG{'s' if count != 1 else ''}"))
    return text.getvalue()


def proposed(code: str) -> str | None:
    """Give the concept that a code or a whole phrase is called like, in English or German.

    Examples
    --------
    >>> proposed("Kompletter Linksschenkelblock"), proposed("Rhythmus: AV-Block I. Grades")
    ('LBBB', 'IAVB')
    >>> proposed("kein Linksschenkelblock") is None
    True
    """
    said = code.rpartition(": ")[2]  # behind what it is about, as in "Rhythmus: Vorhofflimmern"
    for words in (code, said, _WHOLE.sub("", said.casefold().translate(known.UMLAUTS))):
        letters = known.letters(words)
        found = concept_meant(words) or known.FINDINGS.get(letters) or PHRASES.get(letters)
        if found:
            return found
    return None
