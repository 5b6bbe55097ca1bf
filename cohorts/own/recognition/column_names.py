"""What hospitals call the columns of a table, in English and German, and what they write for the sexes.

A name is listed where it can mean one thing only. "id" may be that of an ECG or of a person, "case" that of a
stay: they are in no list.
"""

from __future__ import annotations

import re

RECORD_ID = (
    "ecg_id record_id recording_id record recording_name record_name ecg_nr ecg_no ecg_number study_id "
    "exam_id accession accession_number ekg_id ekg_nr ekg_nummer aufnahme_id aufzeichnung_id "
    "aufzeichnungs_id untersuchung_id untersuchungs_id untersuchungs_nr untersuchungsnummer"
)
PATIENT_ID = (
    "patient_id patient pat_id pid patient_nr patient_no patient_number subject_id subject person_id "
    "mrn patienten_id patientenid patienten_nr patientennummer pat_nr pat_nummer personen_id pseudonym"
)
AGE = (
    "age age_years age_in_years patient_age age_at_ecg age_at_recording alter alter_jahre "
    "alter_in_jahren patientenalter alter_bei_ekg alter_bei_aufnahme lebensalter"
)
BIRTH_YEAR = "birth_year year_of_birth yob born geburtsjahr geb_jahr jahrgang"
BIRTH_DATE = (
    "birth_date birthdate birthday date_of_birth dob patient_birth_date geburtsdatum geb_datum gebdat "
    "geb_dat geburtstag geb"
)
YEAR = "year ecg_year recording_year year_of_ecg jahr ekg_jahr aufnahmejahr untersuchungsjahr"
DATE = (
    "date datetime date_time ecg_date ecg_datetime ecg_time recorded recorded_at recorded_on "
    "recording_date recording_time acquisition_date acquisition_time acquired acquired_at study_date "
    "exam_date datum ekg_datum aufnahmedatum aufnahmezeit aufnahmezeitpunkt aufgenommen aufgezeichnet "
    "untersuchungsdatum datum_ekg"
)
SEX = "sex gender patient_sex patient_gender geschlecht patientengeschlecht sex_gender"
FILE = (
    "file file_name file_path path filepath ecg_file ecg_path ecg_file_name record_path recording_file "
    "waveform_file waveform_path signal_file signal_path filename_hr filename_lr datei dateiname "
    "dateipfad pfad ekg_datei ekg_dateiname ekg_pfad xml_datei"
)
STATEMENTS = (
    "dx dxs diagnosis diagnoses ecg_diagnosis ecg_diagnoses diagnosis_codes aha_code aha_codes "
    "statements statement_codes codes ecg_codes scp_codes snomed snomed_codes snomed_ct rhythm "
    "rhythm_code diagnose diagnosen ekg_diagnose ekg_diagnosen diagnosecode diagnosecodes "
    "diagnoseschluessel rhythmus befundcode befundcodes"
)
REPORT = (
    "report report_text ecg_report interpretation ecg_interpretation conclusion befund befundtext "
    "ekg_befund bericht befundbericht beurteilung ekg_beurteilung"
)
FOLD = "fold folds strat_fold cv_fold split_fold"

FEMALE = frozenset(("f", "female", "woman", "w", "weiblich", "frau", "weibl"))
MALE = frozenset(("m", "male", "man", "maennlich", "mann", "maennl"))
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})

FINDINGS = {
    "vorhofflimmern": "AF",
    "vorhofflattern": "AFL",
    "linksschenkelblock": "LBBB",
    "rechtsschenkelblock": "RBBB",
    "sinusbradykardie": "SB",
    "sinustachykardie": "STach",
    "avblock1": "IAVB",
    "avblocki": "IAVB",
    "avblock2": "IIAVB",
    "avblockii": "IIAVB",
    "avblock3": "IIIAVB",
    "avblockiii": "IIIAVB",
    "linksventrikulaerehypertrophie": "LVH",
    "linksherzhypertrophie": "LVH",
    "rechtsventrikulaerehypertrophie": "RVH",
    "rechtsherzhypertrophie": "RVH",
    "myokardinfarkt": "MI",
    "linksanteriorerhemiblock": "LAnFB",
    "linksposteriorerhemiblock": "LPFB",
}
"""Findings in German, in letters as `letters` gives them -> concept."""


def letters(name: str) -> str:
    """Write a name in what two spellings of it share: small letters and digits, no umlauts.

    Examples
    --------
    >>> letters("Patient-ID"), letters("Geschlecht (m/w)"), letters("Männlich")
    ('patientid', 'geschlechtmw', 'maennlich')
    """
    return re.sub(r"[\W_]+", "", name.casefold().translate(UMLAUTS))


def are_called(names: str) -> frozenset[str]:
    """Give the spellings of a list of names."""
    return frozenset(map(letters, names.split()))
