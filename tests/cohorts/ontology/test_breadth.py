"""The concepts beyond the first ones: what each statement says of them, release by release."""

from __future__ import annotations

import itertools

import pytest

from cohorts.catalogue import find_cohort
from cohorts.ontology import load_ontology
from cohorts.sources.mimic_iv_ecg import _statements

ONTOLOGY = load_ontology()


def label(cohort: str, concept: str, *codes: str) -> int:
    labels = ONTOLOGY.labels(cohort, find_cohort(cohort).card.vocabulary, [codes])
    return int(labels.loc[0, concept])


# One line a trap: cohort, statements, concept, label.
TRAPS = [
    # Details of a rhythm: stated, ruled out by another detail, or open.
    ("sph", ["50+346"], "AFRVR", 1),
    ("sph", ["50+346"], "AF", 1),
    ("sph", ["50"], "AFRVR", -1),
    ("sph", ["51"], "AFRVR", 0),
    ("chapman-shaoxing", ["251166008"], "AVNRT", 1),
    ("chapman-shaoxing", ["251166008"], "SVT", 1),
    ("chapman-shaoxing", ["233897008", "426783006"], "AVNRT", 0),
    ("chapman-shaoxing", ["426761007"], "AVNRT", -1),
    ("ningbo", ["106068003"], "EAR", 1),
    ("ningbo", ["29320008"], "JUNC", 1),
    ("ningbo", ["29320008"], "JESC", -1),
    ("ningbo", ["426664006"], "JUNC", 1),
    ("ningbo", ["426664006"], "JESC", 0),
    ("ningbo", ["426995002", "426783006"], "JESC", 1),
    ("ningbo", ["75532003", "426783006"], "VESC", 1),
    ("ningbo", ["75532003", "426783006"], "PVC", 0),
    ("ningbo", ["61277005", "426783006"], "VESC", -1),
    ("ningbo", ["5609005"], "PAUSE", 1),
    ("ningbo", ["65778007"], "PAUSE", 1),
    ("ningbo", ["164896001"], "VF", 1),
    ("ningbo", ["111288001"], "VF", 1),
    ("ningbo", ["164896001"], "VT", 0),
    # Pacing.
    ("georgia", ["251268003"], "APACE", 1),
    ("georgia", ["251268003"], "VPACE", 0),
    ("georgia", ["251266004"], "VPACE", 1),
    ("georgia", ["251266004"], "PR", 1),
    ("georgia", ["10370003"], "VPACE", -1),
    ("ludb", ["Sinus rhythm", "Biventricular pacing"], "VPACE", 1),
    ("ludb", ["Sinus rhythm", "Pacemaker presence, undefined"], "APACE", -1),
    ("zzu-pecg", ["N(180 + 181)"], "APACE", 1),
    ("zzu-pecg", ["N180"], "VPACE", 0),
    # Ectopy.
    ("sph", ["60+341"], "PVCbig", 1),
    ("sph", ["60"], "PVCbig", -1),
    ("sph", ["60+342"], "PVCbig", 0),
    ("incart", ["11157007"], "PVCbig", 1),
    ("incart", ["251182009"], "PVCbig", 0),
    ("incart", ["164884008"], "PVCbig", -1),
    ("incart", ["13640000"], "FUS", 1),
    ("incartdb", ["beat F"], "FUS", 1),
    ("zzu-pecg", ["F61"], "FUS", 1),
    ("zzu-pecg", ["F61"], "PVC", -1),
    # Conduction.
    ("sph", ["83"], "MobI", 1),
    ("sph", ["83"], "IIAVB", 1),
    ("sph", ["84"], "MobI", 0),
    ("sph", ["85"], "MobI", -1),
    ("sph", ["86"], "MobI", -1),
    ("ningbo", ["54016002", "426783006"], "MobI", 1),
    ("ningbo", ["426183003", "426783006"], "MobI", 0),
    ("ningbo", ["195042002", "426783006"], "MobI", -1),
    ("ningbo", ["233917008", "426783006"], "MobI", -1),
    ("ningbo", ["50799005", "426783006"], "AVD", 1),
    ("ningbo", ["27885002", "426783006"], "AVD", -1),
    ("ningbo", ["49578007", "426783006"], "SPR", 1),
    ("ningbo", ["74390002", "426783006"], "SPR", -1),
    # Atria and ventricles.
    ("ningbo", ["251223006", "426783006"], "TPW", 1),
    ("ningbo", ["446358003", "426783006"], "TPW", -1),
    ("ningbo", ["251205003", "426783006"], "PPW", 1),
    ("ningbo", ["164912004", "426783006"], "PPW", -1),
    # Infarcts: how old, which wall.
    ("sph", ["161+332"], "OldMI", 1),
    ("sph", ["161+332"], "AcMI", 0),
    ("sph", ["161+331"], "AcMI", 1),
    ("sph", ["161"], "OldMI", -1),
    ("sph", ["165+332"], "ASMI", 1),
    ("sph", ["165+332"], "AMI", 1),
    ("sph", ["160+332"], "ASMI", -1),
    ("sph", ["161+332"], "ASMI", 0),
    ("cpsc-2018-extra", ["164867002"], "OldMI", 1),
    ("cpsc-2018-extra", ["164865005"], "OldMI", -1),
    ("ningbo", ["57054005", "426783006"], "AcMI", 1),
    ("ningbo", ["164865005", "426783006"], "AcMI", -1),
    ("ludb", ["Sinus rhythm", "Stemi: inferior wall"], "AcMI", 1),
    ("ludb", ["Sinus rhythm", "Scar formation: inferior wall"], "OldMI", 1),
    ("ludb", ["Sinus rhythm", "Scar formation: inferior wall"], "AcMI", 0),
    ("ludb", ["Sinus rhythm", "Undefined ischemia/scar/supp.nstemi: apical"], "AcMI", -1),
    ("ptbdb", ["reason: myocardial infarction", "acute: infero", "former: no"], "AcMI", 1),
    ("ptbdb", ["reason: myocardial infarction", "acute: no", "former: anterior"], "OldMI", 1),
    ("ptbdb", ["reason: healthy control", "acute: no", "former: no"], "AcMI", 0),
    ("ptb-xl", ["SR", "ASMI"], "ASMI", 1),
    ("ptb-xl", ["SR", "ASMI+15"], "ASMI", -1),
    ("ptb-xl", ["SR", "AMI"], "ASMI", -1),
    ("ptb-xl", ["SR", "ALMI"], "ASMI", 0),
    ("ptb-xl", ["SR", "IMI"], "OldMI", -1),
    # Ischaemia by wall, and injury.
    ("ptb-xl", ["SR", "ISCAL"], "AnIs", 1),
    ("ptb-xl", ["SR", "ISCAL"], "LatIs", 1),
    ("ptb-xl", ["SR", "ISCAL"], "InIs", 0),
    ("ptb-xl", ["SR", "ISC_"], "InIs", -1),
    ("ptb-xl", ["SR", "ISCIN"], "MIs", 1),
    ("ptb-xl", ["SR", "INJIN"], "INJ", 1),
    ("ptb-xl", ["SR", "INJIN"], "InIs", -1),
    ("ptb-xl", ["SR", "INJIN"], "LatIs", 0),
    ("ptb-xl", ["SR", "ISCIN"], "INJ", 0),
    ("georgia", ["425419005"], "InIs", 1),
    ("georgia", ["413444003"], "InIs", -1),
    ("ludb", ["Sinus rhythm", "Ischemia: lateral wall"], "LatIs", 1),
    ("ludb", ["Sinus rhythm", "Ischemia: septal"], "AnIs", -1),
    # ST-T and QRS.
    ("ptb-xl", ["SR", "NST_"], "NSTT", 1),
    ("ptb-xl", ["SR", "NDT"], "NSTT", 1),
    ("ptb-xl", ["SR", "STD_"], "NSTT", -1),
    ("ptb-xl", ["SR", "INVT"], "NSTT", 0),
    ("georgia", ["428750005"], "NSTT", 1),
    ("georgia", ["164934002"], "NSTT", -1),
    ("ningbo", ["55930002", "426783006"], "NSTT", 1),
    ("ptb-xl", ["SR", "DIG"], "DIG", 1),
    ("ptb-xl", ["SR", "EL"], "DIG", -1),
    ("ptb-xl", ["SR", "ABQRS"], "ABQRS", 1),
    ("ptb-xl", ["SR", "CLBBB"], "ABQRS", -1),
    ("ptb-xl", ["NORM", "SR"], "ABQRS", 0),
    ("ptb-xl", ["SR", "ABQRS"], "NORM", -1),
    ("ningbo", ["418818005", "426783006"], "BRUG", 1),
    ("ningbo", ["164937009", "426783006"], "UWAVE", 1),
    ("ningbo", ["61721007", "426783006"], "ROT", 1),
    ("chapman-shaoxing", ["251198002", "426783006"], "ROT", 1),
    ("georgia", ["251139008"], "ERR_LEAD", 1),
    # Nothing is annotated where the release does not answer.
    ("zzu-pecg", ["Suggests200"], "PERI", -1),
    ("zzu-pecg", ["Consider230"], "DEXTRO", -1),
    ("georgia", ["251180001"], "PVCbig", -1),
    ("cpsc-2018", ["164889003"], "AFRVR", -1),
]


@pytest.mark.parametrize(("cohort", "codes", "concept", "expected"), TRAPS)
def test_trap(cohort, codes, concept, expected):
    assert label(cohort, concept, *codes) == expected


# --- a concept that is computed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["CRBBB", "LAFB"], 1),
        (["CRBBB"], 0),
        (["LAFB"], 0),
        ([], 0),
        (["CRBBB", "LAFB+35"], -1),
        (["CRBBB+15", "LAFB"], -1),
        (["CRBBB+15", "LAFB+15"], -1),
        (["CRBBB+15"], 0),
        (["IRBBB", "LAFB"], 0),
        (["CRBBB", "LPFB"], 0),
    ],
)
def test_bifascicular_block_is_both_blocks(codes, expected):
    assert label("ptb-xl", "BIFB", "SR", *codes) == expected


def test_a_computed_concept_is_the_conjunction_of_its_parts_in_every_cohort():
    assert ONTOLOGY.parts("BIFB") == ("RBBB", "LAnFB")
    assert ONTOLOGY.parts("RBBB") == ()
    compared = 0
    for cohort in ONTOLOGY.cohorts:
        vocabulary = find_cohort(cohort).card.vocabulary
        table = ONTOLOGY.vocabularies[vocabulary]
        codes = sorted(set(table.loc[table["concept"].isin(["RBBB", "LAnFB", "CD", "PR"]), "code"]))
        records = [list(pair) for pair in itertools.combinations(codes[:40], 2)]
        labels = ONTOLOGY.labels(cohort, vocabulary, records)[["RBBB", "LAnFB", "BIFB"]]
        parts = [ONTOLOGY.coverage(cohort)[part] for part in ("RBBB", "LAnFB")]
        if parts != ["annotated"] * 2:
            assert (labels["BIFB"] == -1).all()
            continue
        for right, left, both in labels.itertuples(index=False):
            assert both == (0 if 0 in (right, left) else 1 if (right, left) == (1, 1) else -1)
        compared += len(labels)
    assert compared > 1000


def test_rare_diseases_are_there_for_a_hospital_s_own_codes():
    rare = ONTOLOGY.concepts.index[ONTOLOGY.concepts["category"] == "rare"]
    assert list(rare) == ["AMYL", "CONSTR", "EBST", "DEXTRO"]
    stating = [one for one in ONTOLOGY.cohorts if (ONTOLOGY.coverage(one)[rare] == "annotated").any()]
    assert stating == ["mimic-iv-ecg-ext-icd"]  # the codes of the hospital stay


# --- MIMIC-IV-ECG's lines ------------------------------------------------------------------------------

LINES = [
    # A QRS that was not analysed, runs of it, and what is stated rather than hedged.
    ("Wide complex, no further rhythm analysis attempted", {"NSR": -1, "VT": -1, "AF": -1, "LBBB": -1}),
    ("Sinus rhythm with paroxysmal idioventricular rhythm", {"PVC": -1, "VT": -1, "VESC": -1, "NSR": 1}),
    ("*** Acute MI / STEMI ***", {"MI": 1, "AcMI": 1, "STE": 1, "IMI": -1, "ASMI": -1}),
    (
        "Consider anteroseptal infarct although changes V2-V4 may be due to LVH also present",
        {"LVH": 1, "AMI": -1, "ASMI": -1, "LVSTR": -1},
    ),
    ("Changes are probably due to LVH but consider anterior infarct", {"LVH": -1, "AMI": -1}),
    # 2:1 block is of second degree in sinus rhythm, a ratio of conduction in flutter.
    ("Sinus rhythm with 2:1 A-V block", {"IIAVB": 1, "AVB": 1, "MobI": -1, "IAVB": 0, "Brady": -1}),
    ("Sinus tachycardia with 3:1 A-V block", {"IIAVB": 1}),
    ("Sinus rhythm with variable A-V block", {"AVB": 1, "IIAVB": -1}),
    ("Atrial flutter with 2:1 A-V block", {"IIAVB": -1, "AFL": 1}),
    ("Probable sinus tachycardia with 2:1 A-V block", {"IIAVB": -1}),
    # Borderline first degree is neither.
    ("Sinus rhythm with borderline 1st degree A-V block", {"IAVB": -1, "LPR": -1, "NSR": 1}),
    ("Sinus rhythm with 3rd degree heart block", {"IIIAVB": 1, "AVD": -1, "JESC": -1, "Brady": -1}),
    ("Third-degree A-V block", {"IIIAVB": 1}),
    # Ventricular rate: of fibrillation only.
    ("Atrial fibrillation with rapid ventricular response", {"AFRVR": 1, "AF": 1}),
    ("Atrial fibrillation", {"AFRVR": 0, "AF": 1}),
    ("Probable atrial fibrillation with rapid ventricular response", {"AFRVR": -1, "AF": -1}),
    ("Atrial flutter with rapid ventricular response", {"AFRVR": 0, "AF": 0, "AFL": 1}),
    ("Atrial fibrillation/flutter with rapid ventricular response", {"AFRVR": -1, "AF_AFL": 1}),
    # Slash variants.
    ("Sinus/atrial tachycardia", {"STach": -1, "ATach": -1, "SVT": -1}),
    ("Sinus atrial tachycardia", {"STach": -1, "ATach": -1, "SVT": -1}),
    ("Inferior/lateral ST-T changes are nonspecific", {"NSTT": 1, "STTC": 1}),
    # Rhythms with concepts of their own, pauses.
    ("Sinus rhythm with sinus pause", {"PAUSE": 1, "NSR": 1, "Brady": -1}),
    ("Sinus bradycardia with 2nd degree (Mobitz II) SA block", {"PAUSE": 1, "IIAVB": 0}),
    ("Junctional rhythm", {"JUNC": 1, "JESC": -1, "Brady": -1}),
    ("Accelerated junctional rhythm", {"JUNC": 1, "JESC": 0, "Brady": 0}),
    ("Ectopic atrial rhythm", {"EAR": 1, "ATach": 0}),
    ("Unusual P axis, possible ectopic atrial rhythm", {"EAR": -1, "NSR": -1}),
    ("Possible junctional rhythm", {"JUNC": -1}),
    ("Idioventricular rhythm", {"VESC": 1, "Brady": -1}),
    # Beats.
    ("Sinus rhythm with PAC(s) in couplets", {"PAC": 1, "PVC": 0}),
    ("Sinus rhythm with frequent Premature ventricular complexes in a pattern of bigeminy", {"PVCbig": 1}),
    ("Sinus rhythm with bigeminal PVCs", {"PVCbig": 1, "PVC": 1}),
    ("Sinus rhythm with PVC(s)", {"PVCbig": 0, "PVC": 1}),
    ("Sinus rhythm with ventricular couplets", {"PVC": 1, "PVCbig": 0}),
    ("Sinus rhythm with fusion complexes", {"FUS": 1, "PVC": -1}),
    # Pacing.
    ("AV dual-paced rhythm", {"PR": 1, "APACE": 1, "VPACE": 1}),
    ("Atrial-sensed ventricular-paced rhythm", {"VPACE": 1, "APACE": 0}),
    ("Atrial-paced rhythm", {"APACE": 1, "VPACE": 0}),
    ("Ventricular-paced complexes", {"VPACE": 1, "PR": 1}),
    ("Electronic pacemaker", {"PR": 1, "VPACE": -1}),
    # Conduction and hypertrophy.
    ("Right ventricular conduction delay", {"IRBBB": -1, "RBBB": 0, "NSIVCB": -1}),
    ("RBBB and LAFB", {"RBBB": 1, "LAnFB": 1, "BIFB": 1}),
    ("RBBB with left anterior fascicular block", {"RBBB": 1, "LAnFB": 1, "BIFB": 1}),
    ("Bifascicular block", {"RBBB": 1, "LAnFB": -1, "BIFB": -1}),
    ("Left ventricular hypertrophy with repolarization abnormality", {"LVH": 1, "LVSTR": 1, "STTC": 1}),
    ("LVH with secondary repolarization abnormality", {"LVH": 1, "LVSTR": 1}),
    ("Left ventricular hypertrophy", {"LVH": 1, "LVSTR": -1}),
    ("Possible left ventricular hypertrophy with repolarization abnormality", {"LVH": -1, "LVSTR": -1}),
    # ST and T as GE's programme writes them.
    ("T wave abnormality, consider inferior ischemia", {"TAb": 1, "MIs": -1, "NSTT": -1, "TInv": -1}),
    ("ST & T wave abnormality, consider lateral ischemia or digitalis effect", {"STTC": 1, "DIG": -1}),
    ("Marked ST abnormality, possible inferior subendocardial injury", {"STTC": 1, "STD": -1}),
    ("Nonspecific ST and T wave abnormality", {"NSTT": 1, "STTC": 1, "TAb": -1}),
    (
        "ST elevation, consider early repolarization, pericarditis, or injury",
        {"STE": 1, "PERI": -1, "ERe": -1},
    ),
    ("Acute pericarditis", {"PERI": 1, "STE": -1}),
    ("Inferior ST elevation, consider pericarditis", {"PERI": -1, "STE": 1}),
    ("Tall T waves - consider hyperkalemia", {"TAb": 1}),
    ("Hyperkalemia", {"TAb": -1, "STTC": -1}),
    # Infarcts: their age.
    ("Inferior infarct, old", {"OldMI": 1, "AcMI": 0, "IMI": 1}),
    ("Inferior infarct, acute", {"AcMI": 1, "OldMI": 0, "IMI": 1}),
    ("Inferior infarct, possibly acute", {"AcMI": -1, "OldMI": -1, "IMI": 1}),
    ("Inferior infarct - age undetermined", {"AcMI": -1, "OldMI": -1, "IMI": 1}),
    ("Possible inferior infarct, old", {"OldMI": -1, "IMI": -1}),
    ("Anteroseptal infarct - age undetermined", {"ASMI": 1, "AMI": 1}),
    ("Septal infarct - age undetermined", {"ASMI": -1, "AMI": -1, "MI": 1}),
    # The recording.
    ("Suspect arm lead reversal - only aVF, V1-V6 analyzed", {"ERR_LEAD": 1, "LAD": -1, "ICA": -1}),
    ("--- Warning: Data quality may affect interpretation ---", {"ERR_ART": 1, "ERR_LEAD": 0}),
]


@pytest.mark.parametrize(("line", "wanted"), LINES, ids=[line for line, _ in LINES])
def test_a_line_of_mimic_iv_ecg(line, wanted):
    rhythm = () if any(concept in wanted for concept in ("NSR", "JUNC", "EAR", "VESC")) else ("Sinus rhythm",)
    codes = [code for said in (*rhythm, line, "Abnormal ECG") for code in _statements(said)]
    assert ONTOLOGY.unknown_codes("mimic", [codes]) == {}
    labels = ONTOLOGY.labels("mimic-iv-ecg", "mimic", [codes]).loc[0]
    covered = [concept for concept in wanted if ONTOLOGY.coverage("mimic-iv-ecg")[concept] == "annotated"]
    assert {concept: int(labels[concept]) for concept in covered} == {c: wanted[c] for c in covered}
    assert all(wanted[concept] == -1 for concept in set(wanted) - set(covered))


def test_a_line_that_nobody_knows_leaves_the_whole_record_open_but_for_what_is_stated():
    codes = [
        code for line in ("Sinus rhythm", "Xyz of the zyx", "Abnormal ECG") for code in _statements(line)
    ]
    labels = ONTOLOGY.labels("mimic-iv-ecg", "mimic", [codes]).loc[0]
    assert labels["NSR"] == 1
    assert (labels.drop("NSR") == -1).all()


def test_every_spelling_of_a_line_is_one_code():
    for one, other in [
        ("Sinus rhythm with 1st degree A-V block", "Sinus rhythm with First degree AV block"),
        ("RBBB", "Right bundle branch block"),
        ("Inferior infarction, old", "Inferior infarct - old"),
        ("Premature ventricular contractions", "Ventricular premature complexes"),
        ("Nonspecific T abnrm", "Nonspecific T wave abnormality"),
        ("ST-T changes, inferior leads", "Inferior ST-T changes"),
        ("IV conduction defect", "I-V conduction defect"),
        ("3rd degree AV block", "Third degree heart block"),
    ]:
        assert _statements(one) == _statements(other), one
