"""Free-text reports in the manner of PTB-XL: lower case, German, English or Swedish, telegraphic."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_GERMAN = {
    "NORM": "normales ekg",
    "NSR": "sinusrhythmus",
    "SB": "sinusbradykardie",
    "STach": "sinustachykardie",
    "SA": "sinusarrhythmie",
    "AF": "vorhofflimmern",
    "AFL": "vorhofflattern",
    "SVT": "supraventrikuläre tachykardie",
    "PR": "elektronischer schrittmacher",
    "IAVB": "av-block 1. grades",
    "MoI": "av-block 2. grades (wenckebach)",
    "MoII": "av-block 2. grades (mobitz)",
    "IIIAVB": "av-block 3. grades",
    "LBBB": "linksschenkelblock",
    "RBBB": "rechtsschenkelblock",
    "ILBBB": "inkompletter linksschenkelblock",
    "IRBBB": "inkompletter rechtsschenkelblock",
    "NSIVCB": "unspezifischer intraventrikulärer block",
    "WPW": "präexzitation, wpw-syndrom",
    "LAnFB": "überdrehter linkstyp linksanteriorer hemiblock",
    "LPFB": "linksposteriorer hemiblock",
    "LAD": "überdrehter linkstyp",
    "RAD": "rechtstyp",
    "RVH": "rechtshypertrophie",
    "PAC": "supraventrikuläre extrasystole(n)",
    "PVC": "ventrikuläre extrasystole(n)",
    "IMI": "qrs(t) abnormal inferiorer infarkt alter unbest.",
    "ASMI": "qrs(t) abnormal anteroseptaler infarkt alter unbest.",
    "AMI": "qrs(t) abnormal vorderwandinfarkt wahrscheinlich alt",
    "LMI": "qrs(t) abnormal lateraler infarkt alter unbest.",
    "QAb": "q-zacken",
    "PRWP": "verzögerte r-progression",
    "LVH": "linkshypertrophie",
    "LVHV": "hohe qrs-amplituden",
    "LQRSV": "niederspannung",
    "STEI": "st-hebung inferior, frischer infarkt möglich",
    "STEA": "st-hebung anterior, frischer infarkt möglich",
    "STEL": "st-hebung lateral, frischer infarkt möglich",
    "STD": "st-senkung v4-v6, ischämie möglich",
    "ERe": "frühe repolarisation",
    "TInv": "t-negativierung",
    "TAb": "t abnormal",
    "NSSTTA": "unspezifische st-t-veränderungen",
    "LQT": "qt-verlängerung",
    "LAE": "p-sinistroatriale",
    "RAE": "p-dextroatriale",
}

_ENGLISH = {
    "NORM": "normal ecg.",
    "NSR": "sinus rhythm.",
    "SB": "sinus bradycardia.",
    "STach": "sinus tachycardia.",
    "SA": "sinus arrhythmia.",
    "AF": "atrial fibrillation.",
    "AFL": "atrial flutter.",
    "SVT": "supraventricular tachycardia.",
    "PR": "paced rhythm.",
    "IAVB": "prolonged pr interval.",
    "MoI": "second degree av block, wenckebach.",
    "MoII": "second degree av block.",
    "IIIAVB": "complete heart block.",
    "LBBB": "left bundle branch block.",
    "RBBB": "right bundle branch block.",
    "ILBBB": "incomplete left bundle branch block.",
    "IRBBB": "incomplete right bundle branch block.",
    "NSIVCB": "non-specific intraventricular conduction delay.",
    "WPW": "short pr interval and delta wave.",
    "LAnFB": "left axis deviation. left anterior fascicular block.",
    "LPFB": "left posterior fascicular block.",
    "LAD": "left axis deviation.",
    "RAD": "rightward axis.",
    "RVH": "right ventricular hypertrophy.",
    "PAC": "premature atrial contraction(s).",
    "PVC": "premature ventricular contraction(s).",
    "IMI": "q waves in ii, iii, avf consistent with old inferior myocardial infarction.",
    "ASMI": "q waves in v1-v3 consistent with old anteroseptal infarction.",
    "AMI": "q waves in v2-v5, old anterior myocardial infarction.",
    "LMI": "q waves in i, avl, v6, old lateral infarction.",
    "QAb": "prominent q waves.",
    "PRWP": "poor r wave progression.",
    "LVH": "voltages are high in chest leads suggesting lvh.",
    "LVHV": "high voltages.",
    "LQRSV": "low limb lead voltage.",
    "STEI": "st elevation in ii, iii, avf, suggests acute inferior infarction.",
    "STEA": "st elevation in v1-v4, suggests acute anterior infarction.",
    "STEL": "st elevation in i, avl, v6, suggests acute lateral infarction.",
    "STD": "st segments are depressed in v4,5,6. this may be due to ischaemia.",
    "ERe": "early repolarisation.",
    "TInv": "t waves are inverted.",
    "TAb": "t waves are low or flat.",
    "NSSTTA": "non-specific st-t changes.",
    "LQT": "prolonged qt interval.",
    "LAE": "left atrial enlargement.",
    "RAE": "right atrial enlargement.",
}

_SWEDISH = {
    "NORM": "normalt ekg",
    "NSR": "sinusrytm",
    "SB": "sinusbradykardi",
    "STach": "sinustakykardi",
    "AF": "förmaksflimmer",
    "AFL": "förmaksfladder",
    "PR": "pacemakerrytm",
    "IAVB": "av-block i",
    "LBBB": "vänstersidigt skänkelblock",
    "RBBB": "högersidigt skänkelblock",
    "LAD": "vänster el-axel",
    "LAnFB": "vänster främre fascikelblock",
    "PAC": "supraventrikulär(a) extrasystoli(er)",
    "PVC": "ventrikulär(a) extrasystoli(er)",
    "IMI": "inferior myokardskada",
    "ASMI": "anteroseptal myokardskada",
    "AMI": "anterior myokardskada",
    "LVH": "vänster kammarhypertrofi",
    "STD": "st-t sänkning, såsom vid ischemi",
    "TAb": "avvikande t-förlopp",
    "LQRSV": "låga qrs amplituder",
    "LQT": "förlängt qt-intervall",
}

_NEGATED = {
    "german": (
        "kein sicherer infarkt",
        "septaler infarkt nicht auszuschliessen",
        "keine ischämiezeichen",
        "linkshypertrophie nicht auszuschliessen",
        "kein hinweis auf schenkelblock",
    ),
    "english": (
        "no evidence of ischaemia.",
        "cannot rule out septal infarct.",
        "no acute changes.",
        "no st elevation.",
    ),
    "swedish": ("ingen säker ischemi", "septal myokardskada bör övervägas"),
}

_LANGUAGES: Mapping[str, Mapping[str, str]] = {
    "german": _GERMAN,
    "english": _ENGLISH,
    "swedish": _SWEDISH,
}


def report(stated: tuple[str, ...], random: np.random.Generator) -> str:
    """Write a report of the stated conditions: rhythm, findings, sometimes something that is not there."""
    language = str(random.choice(list(_LANGUAGES), p=[0.72, 0.22, 0.06]))
    words = _LANGUAGES[language]
    findings = [words.get(condition, _GERMAN[condition]) for condition in stated if condition != "NORM"]
    if "NORM" in stated:
        findings.append({"german": "sonst " if len(findings) > 1 else ""}.get(language, "") + words["NORM"])
    elif random.random() < 0.2:
        findings.append(str(random.choice(_NEGATED[language])))
    return " ".join(findings)
