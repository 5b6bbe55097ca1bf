"""Real PTB-XL records, read by hand: what the reader stated, what the report says, and what lands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cohorts.ontology import load_ontology
from cohorts.sources.ptb_xl import PtbXl


@pytest.fixture(scope="module")
def real(shared: Path) -> pd.DataFrame:
    """Labels of the real sample, by record, with the columns ``statements`` and ``report``."""
    index = PtbXl(shared / "data/ptb-xl").index()
    labels = load_ontology().labels("ptb-xl", "scp", index["statements"])
    return pd.concat([index[["record_id", "statements", "report"]], labels], axis=1).set_index("record_id")


RHYTHMS = load_ontology().concepts.index[load_ontology().concepts["category"] == "rhythm"]
# Records without a rhythm statement, with what their reports say.
SILENT = {
    "128": "sinus arrhythmie",
    "135": "sinustachykardi",
    "151": "sinus arytmi",
    "164": "sinustachykardi",
    "181": "rmaksflimmer",
    "186": "sinusbradykardi",
    "191": "sinusbradykardi",
    "194": "sinusbrsadykardi",
    "258": "trace only requested",
    "281": "trace only requested",
    "292": "trace only requested",
    "294": "trace only requested",
    "309": "trace only requested",
    "311": "trace only requested",
    "363": "sinusrhythmus",
    "381": "sinusbradykardi",
    "383": "sinusbradykardi",
    "386": "rmaksflimmer",
}


def test_a_record_without_a_rhythm_statement_has_no_rhythm_label(real):
    for record_id, words in SILENT.items():
        assert words in real.loc[record_id, "report"], record_id
        assert (real.loc[record_id, RHYTHMS] == -1).all(), record_id
    others = real.drop(list(SILENT))
    assert others["SB"].value_counts().to_dict() == {0: 373, 1: 9}
    assert others["AF"].value_counts().to_dict() == {0: 368, 1: 9, -1: 5}, "what a pacemaker hides is open"


# Record, concepts that are 1, 0 and -1: read by hand, the report beside the statements.
READ = [
    ("1", "NORM NSR LQRSV", "AF MI LVH", "LAD"),  # sinusrhythmus periphere niederspannung
    ("2", "NORM SB", "NSR AF STach", "RAD"),  # sinusbradykardie sonst normales ekg
    ("7", "NORM NSR", "MI LQT", "LAD"),  # the reader overrules the machine's inferior infarct and QT
    ("8", "NSR", "AF LBBB", "MI IMI NORM LAD"),  # inferiorer infarkt alter unbest., likelihood 35
    ("15", "NORM SA", "AF SB", "NSR PAC PVC"),  # normal, an extrasystole of unstated origin
    ("17", "AF AFL LAD", "SVT NSR NORM", "QAb"),  # tachykardes vorhofflimmern, ueberdrehter linkstyp
    ("26", "NSR STTC", "NORM AF", "TAb STD PAC PVC"),  # NST_ for 'unspezifisches abnormales t'
    ("32", "NSR LPFB", "LAD NORM", "RAD"),  # rechtstyp, linksposteriorer hemiblock
    ("39", "NSR LQT STTC", "NORM AF", "MI IMI"),  # myokardschaden nicht auszuschliessen
    ("41", "LAnFB LAD CD", "NORM RAD", ""),  # ueberdrehter linkstyp, linksanteriorer hemiblock
    ("45", "IRBBB CD", "NORM RBBB", "RVH RAE HYP"),
    ("63", "NSR", "IMI LMI", "MI AMI NORM"),  # anteroseptaler myokardschaden nicht auszuschliessen
    ("77", "IRBBB", "IMI NORM", "MI AMI"),  # ASMI 50, of which the report says nothing
    ("103", "STach LAnFB LAD", "NSR NORM", "MI IMI"),  # inferiorer infarkt wahrscheinlich alt, 15
    ("106", "NSR", "RBBB", "MI AMI LVH HYP NORM"),  # infarkt moeglich, maessige amplitudenkriterien
    ("118", "NORM NSR", "PVC AF", "PAC"),  # supraventrikulaere extrasystolen, not among the statements
    ("131", "NSR", "IMI", "MI AMI NORM"),  # septaler infarkt nicht auszuschliessen
    ("139", "IMI MI NSR", "AMI NORM LBBB", "QAb STE"),
    ("142", "NSR", "AMI", "MI IMI NORM"),
    ("143", "PR", "NSR SB STach NORM", "MI LVH LBBB STTC AF"),  # pacemaker ekg, and no word more
    ("152", "AF MIs", "AFL NSR NORM", "MI LMI"),  # hoeg lateral infarkt boer oevervaegas
    ("162", "NSR LAnFB MIs", "IMI NORM", "MI AMI LVH HYP"),
    ("168", "NSR", "MI LVH", "MIs STTC STD NORM"),  # ischemi eller vaenster belastning
    ("181", "MI AMI LMI", "NORM LBBB", "IMI AF PVC"),  # foermaksflimmer, ventrikulaera extrasystolier
    ("182", "IAVB LAnFB", "WPW NORM", "MI AMI"),
    ("210", "NSR MI IMI LAD", "NORM AMI", "QAb"),  # likelihood 80
    ("213", "NORM SA", "AF PAC", "PVC"),  # ventrikulaere extrasystolen, not among the statements
    ("219", "NSR PVC", "MI AF", "NORM"),  # NORM 50 beside extrasystoles
    ("222", "IRBBB RVH RAE RAD HYP", "NORM LAD LVH", "QAb"),
    ("240", "SB", "NSR AMI", "MI IMI NORM"),
    ("267", "NSR QAb", "AMI NORM", "MI IMI"),  # consistent with old inferior infarction, 50
    ("274", "LVH AMI MI TInv HYP", "NORM RBBB", "LAE LAD"),  # possible left atrial enlargement
    ("281", "MI AMI IMI LAnFB", "NORM RBBB", "AF NSR PVC"),  # trace only requested
    ("291", "NORM IRBBB", "MI AF", "LVH LVHV HYP"),  # high v lead voltages are probably normal for age
    ("298", "LVH TInv STD", "IMI NORM", "MI AMI"),
    ("311", "", "", "MI AMI LVH RBBB AF NORM"),  # nothing but a hedge: trace only requested
    ("316", "SA PAC PVC LVHV LVH", "NORM MI AF", "MIs LQT HYP"),
    ("330", "AF", "MI LVH", "NORM"),  # fibrillation, otherwise no definite pathology
    ("333", "LVHV LVH STD", "NORM MI", "HYP STTC"),  # LVH 35, but voltage criteria are stated
    ("347", "NSR IAVB LPR", "NORM MI", "LVH LAE HYP"),
    ("357", "NSR TAb", "PVC LQRSV NORM", "PAC"),
    ("380", "NSR", "LMI LVH", "MI IMI AMI NORM"),
    ("386", "LVH MIs", "MI NORM", "AF SB PVC"),
]


@pytest.mark.parametrize(("record_id", "yes", "no", "unanswered"), READ, ids=[row[0] for row in READ])
def test_a_real_record_read_by_hand(real, record_id, yes, no, unanswered):
    row = real.loc[record_id]
    for words, expected in ((yes, 1), (no, 0), (unanswered, -1)):
        assert row[words.split()].to_dict() == dict.fromkeys(words.split(), expected)
