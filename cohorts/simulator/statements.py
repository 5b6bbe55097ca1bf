"""How the sites write down what they see: condition -> native statements.

Each condition has one or more ways to be written, the usual one first. Several codes in one way are
separated by a blank. A condition that is missing from a vocabulary is not annotated by its release.
Codes are facts of the releases: SCP-ECG statements (PTB-XL), SNOMED CT (Challenge 2021), AHA/ACC/HRS
statements and modifiers (SPH, ZZU-pECG), the six classes of CODE.
"""

from __future__ import annotations

from collections.abc import Mapping

Vocabulary = Mapping[str, tuple[str, ...]]

SCP: Vocabulary = {
    "NORM": ("NORM",),
    "NSR": ("SR",),
    "SB": ("SBRAD",),
    "STach": ("STACH",),
    "SA": ("SARRH",),
    "AF": ("AFIB",),
    "AFL": ("AFLT", "AFLT AFIB"),
    "SVT": ("SVTAC", "PSVT"),
    "PR": ("PACE",),
    "IAVB": ("1AVB", "1AVB", "LPR"),
    "MoI": ("2AVB",),
    "MoII": ("2AVB",),
    "IIIAVB": ("3AVB",),
    "LBBB": ("CLBBB",),
    "RBBB": ("CRBBB",),
    "ILBBB": ("ILBBB",),
    "IRBBB": ("IRBBB",),
    "NSIVCB": ("IVCD",),
    "WPW": ("WPW",),
    "LAnFB": ("LAFB",),
    "LPFB": ("LPFB",),
    "PAC": ("PAC", "PAC", "PRC(S)"),
    "PVC": ("PVC", "PVC", "PVC BIGU"),
    "IMI": ("IMI ABQRS", "IMI", "ILMI ABQRS"),
    "ASMI": ("ASMI ABQRS", "ASMI"),
    "AMI": ("AMI ABQRS", "ALMI ABQRS"),
    "LMI": ("LMI ABQRS", "LMI"),
    "QAb": ("QWAVE", "QWAVE ABQRS"),
    "PRWP": ("ABQRS",),
    "LVH": ("LVH VCLVH", "LVH"),
    "LVHV": ("VCLVH", "HVOLT"),
    "RVH": ("RVH",),
    "LQRSV": ("LVOLT",),
    "STEI": ("STE_ INJIN", "IMI STE_"),
    "STEA": ("STE_ INJAS", "STE_ INJAL"),
    "STEL": ("STE_ INJLA",),
    "STD": ("STD_ ISC_", "STD_", "STD_ ISCAL"),
    "TInv": ("INVT", "INVT NDT"),
    "TAb": ("NDT", "LOWT", "NT_"),
    "NSSTTA": ("NST_", "NST_ NDT"),
    "LQT": ("LNGQT",),
    "LAE": ("LAO/LAE",),
    "RAE": ("RAO/RAE",),
}

_SNOMED: Vocabulary = {
    "NSR": ("426783006",),
    "SB": ("426177001",),
    "STach": ("427084000",),
    "SA": ("427393009",),
    "AF": ("164889003",),
    "AFL": ("164890007",),
    "SVT": ("426761007",),
    "PR": ("10370003",),
    "IAVB": ("270492004",),
    "MoI": ("195042002", "54016002"),
    "MoII": ("195042002",),
    "IIIAVB": ("27885002",),
    "LBBB": ("164909002",),
    "RBBB": ("59118001",),
    "ILBBB": ("251120003",),
    "IRBBB": ("713426002",),
    "NSIVCB": ("698252002",),
    "WPW": ("74390002",),
    "LAnFB": ("445118002",),
    "LPFB": ("445211001",),
    "LAD": ("39732003",),
    "RAD": ("47665007",),
    "RVH": ("89792004",),
    "PAC": ("284470004", "284470004", "63593006"),
    "PVC": ("427172004",),
    "QAb": ("164917005",),
    "LVH": ("164873001",),
    "STEI": ("164931005",),
    "STEA": ("164931005",),
    "STEL": ("164931005",),
    "STD": ("429622005",),
    "ERe": ("428417006",),
    "TInv": ("59931005",),
    "TAb": ("164934002",),
    "NSSTTA": ("428750005",),
    "LQT": ("111975006",),
    "LAE": ("67741000119109",),
    "RAE": ("446358003",),
    "LQRSV": ("251146004",),
}


def _snomed(only: str = "", **own: str) -> Vocabulary:
    """Take the common SNOMED CT codes, or ``only`` some, with a site's own ways."""
    kept = set(only.split()) or set(_SNOMED)
    ways = {condition: ways for condition, ways in _SNOMED.items() if condition in kept}
    return {**ways, **{condition: (code,) for condition, code in own.items()}}


# Where sinus rhythm is stated of a normal ECG only, its code stands for "NORM".
CPSC = _snomed("AF IAVB LBBB RBBB PAC STD STEI STEA STEL", PVC="164884008", NORM="426783006")

# "old myocardial infarction" is the usual word there.
CPSC_EXTRA = _snomed(
    "SB STach SA AF AFL SVT IAVB MoI MoII IIIAVB LBBB ILBBB IRBBB PAC PVC QAb LVH RVH STD STEI STEA STEL "
    "TInv TAb NSSTTA LQT",
    RBBB="713427006",
    IMI="164867002",
    ASMI="164867002",
    AMI="54329005",
    LMI="164865005",
)
CHAPMAN = _snomed(
    "NSR SB STach AF AFL SVT IAVB MoI MoII IIIAVB LBBB RBBB NSIVCB WPW LAD RAD PAC QAb LVH STD STEI STEA "
    "STEL TInv TAb NSSTTA LQT LQRSV RVH RAE",
    PVC="17338001",
    LVHV="55827005",
    PRWP="251146004",  # its "poor R wave progression" was coded as low voltage
)

# Fibrillation is coded as flutter: the release has none of the one and 7,615 of the other.
NINGBO = _snomed(
    "NSR SB STach SA AFL SVT PR IAVB MoI MoII IIIAVB ILBBB IRBBB NSIVCB WPW LAnFB LPFB LAD RAD PAC PVC QAb "
    "LVH STD TInv TAb LQT LQRSV RVH RAE ERe",
    AF="164890007",
    LBBB="733534002",
    RBBB="713427006",
    LVHV="55827005",
    PRWP="365413008",
    NSSTTA="55930002",
)
GEORGIA = _snomed(
    "SB STach SA AF AFL SVT IAVB MoI MoII IIIAVB LBBB RBBB ILBBB IRBBB NSIVCB WPW LAnFB LPFB LAD RAD RVH "
    "PAC QAb LVH STEI STEA STEL STD ERe TInv TAb NSSTTA LQT LAE LQRSV",
    PVC="17338001",
    NORM="426783006",
)
_MI = "164865005"
PTB = _snomed(
    "AF AFL", NORM="426783006",
    LBBB="6374002", RBBB="6374002", LVH="266249003", IMI=_MI, ASMI=_MI, AMI=_MI, LMI=_MI,
    STEI=_MI, STEA=_MI, STEL=_MI,
)  # fmt: skip
INCART = _snomed("SA AF IAVB MoI RBBB PAC LVH STD STEI STEA STEL TInv WPW", PVC="164884008", IMI="57054005")

SCP_TO_SNOMED = {
    "NORM": "426783006",
    "SR": "426783006",
    "SBRAD": "426177001",
    "STACH": "427084000",
    "SARRH": "427393009",
    "AFIB": "164889003",
    "AFLT": "164890007",
    "SVTAC": "426761007",
    "PSVT": "67198005",
    "PACE": "10370003",
    "1AVB": "270492004",
    "LPR": "164947007",
    "2AVB": "195042002",
    "3AVB": "27885002",
    "CLBBB": "164909002",
    "CRBBB": "713427006",
    "ILBBB": "251120003",
    "IRBBB": "713426002",
    "IVCD": "698252002",
    "WPW": "74390002",
    "LAFB": "445118002",
    "LPFB": "445211001",
    "PAC": "284470004",
    "PRC(S)": "164884008",
    "PVC": "164884008",
    "BIGU": "11157007",
    "ABQRS": "164951009",
    "IMI": "164865005",
    "ILMI": "164865005",
    "ASMI": "164865005",
    "AMI": "54329005",
    "ALMI": "164865005",
    "LMI": "164865005",
    "QWAVE": "164917005",
    "LVH": "164873001",
    "VCLVH": "164873001",
    "HVOLT": "164951009",
    "RVH": "89792004",
    "LVOLT": "251146004",
    "STE_": "164931005",
    "INJIN": "164865005",
    "INJAS": "164865005",
    "INJAL": "164865005",
    "INJLA": "164865005",
    "STD_": "429622005",
    "ISC_": "164861001",
    "ISCAL": "164861001",
    "INVT": "59931005",
    "NDT": "164934002",
    "LOWT": "164934002",
    "NT_": "164934002",
    "NST_": "55930002",
    "LNGQT": "111975006",
    "LAO/LAE": "67741000119109",
    "RAO/RAE": "446358003",
}
"""How the Challenge recoded PTB-XL's statements."""

AHA: Vocabulary = {
    "NORM": ("1",),
    "SB": ("22",),
    "STach": ("21",),
    "SA": ("23",),
    "AF": ("50", "50+346"),
    "AFL": ("51",),
    "SVT": ("54",),
    "IAVB": ("82",),
    "MoI": ("83", "86"),
    "MoII": ("85", "84"),
    "IIIAVB": ("88",),
    "LBBB": ("104",),
    "RBBB": ("106",),
    "IRBBB": ("105",),
    "WPW": ("108",),
    "LAnFB": ("101",),
    "LPFB": ("102",),
    "RAD": ("120",),
    "LAD": ("121",),
    "LQRSV": ("125",),
    "LAE": ("140",),
    "LVH": ("142",),
    "RVH": ("143",),
    "STD": ("145+362", "145"),
    "STEI": ("145+363",),
    "STEA": ("145+363",),
    "STEL": ("145+363",),
    "NSSTTA": ("146", "145"),
    "TAb": ("147",),
    "TInv": ("147+367", "147"),
    "LQT": ("148",),
    "ERe": ("155",),
    "AMI": ("160+332", "166+332"),
    "IMI": ("161+332", "161"),
    "ASMI": ("165+332", "165"),
    "LMI": ("163+332",),
    "PAC": ("30", "30+308", "30+310"),
    "PVC": ("60", "60+308", "60+310", "60+341"),
}

# First number of each category of AHA/ACC/HRS statements, and its letter.
_AHA_CATEGORIES = (
    *((1, "A"), (10, "B"), (20, "C"), (30, "D"), (50, "E"), (60, "F"), (70, "G")),
    *((80, "H"), (100, "I"), (120, "J"), (140, "K"), (145, "L"), (160, "M"), (180, "N")),
)


def aha_category(number: int) -> str:
    """Give the letter of a statement's category."""
    return [letter for first, letter in _AHA_CATEGORIES if number >= first][-1]


CODE: Vocabulary = {
    "IAVB": ("1dAVb",),
    "RBBB": ("RBBB",),
    "LBBB": ("LBBB",),
    "SB": ("SB",),
    "STach": ("ST",),
    "AF": ("AF",),
}
