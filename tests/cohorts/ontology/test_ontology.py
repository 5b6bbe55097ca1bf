"""The ontology as it ships: its traps one by one, its answers to wrong calls, its identity."""

from __future__ import annotations

import re
from itertools import chain

import pandas as pd
import pytest

from cohorts.catalogue import all_cohorts
from cohorts.errors import UnknownNameError, UsageError
from cohorts.ontology import Ontology, load_ontology

COHORTS = {cohort_id: cohort.card.vocabulary for cohort_id, cohort in all_cohorts().items()}
SCORED_BY_THE_CHALLENGE = [
    "AF",
    "AFL",
    "BBB_ANY",
    "Brady",
    "LBBB",
    "RBBB",
    "IAVB",
    "IRBBB",
    "LAD",
    "LAnFB",
    "LPR",
    "LQRSV",
    "LQT",
    "NSIVCB",
    "NSR",
    "PAC",
    "PR",
    "PRWP",
    "PVC",
    "QAb",
    "RAD",
    "SA",
    "SB",
    "STach",
    "TAb",
    "TInv",
]
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def label(cohort: str, concept: str, *codes: str, vocabulary: str | None = None) -> int:
    labels = load_ontology().labels(cohort, vocabulary or COHORTS[cohort], [codes])
    return int(labels.loc[0, concept])


def test_there_are_the_concepts_cohorts_and_vocabularies_that_others_rely_on(ontology):
    assert set(SCORED_BY_THE_CHALLENGE) | set(SUPERCLASSES) <= set(ontology.concepts.index)
    assert len(SCORED_BY_THE_CHALLENGE) == 26
    more = "STD STE LVH LVHV RVH LAE RAE IIAVB IIIAVB AVB LPFB WPW SVT AMI IMI LMI MIs AF_AFL ILBBB"
    assert set(more.split()) <= set(ontology.concepts.index)
    assert set(ontology.cohorts) <= set(COHORTS)
    assert set(ontology.vocabularies) == {*COHORTS.values(), "cpsc2018", "echonext_publisher"}
    assert list(ontology.concepts.columns) == ["name", "snomed", "category", "parents", "prompts"]


# One line a trap: cohort, statements, concept, label.
TRAPS = [
    # Whole tokens: no code is found inside another.
    ("ptb-xl", ["AFIB"], "AF", 1),
    ("ptb-xl", ["AF"], "AF", -1),
    ("ptb-xl", ["2AVB"], "IIAVB", 1),
    ("ptb-xl", ["2AVB"], "IAVB", 0),
    ("ptb-xl", ["AVB"], "AVB", -1),
    ("ptb-xl", ["ILMI"], "AMI", 0),
    ("ptb-xl", ["IRBBB"], "RBBB", 0),
    # Codes that the Challenge scores as one, and PTB-XL's and CPSC-2018's own code of PVC.
    ("georgia", ["733534002"], "LBBB", 1),
    ("georgia", ["164909002"], "LBBB", 1),
    ("georgia", ["713427006"], "RBBB", 1),
    ("georgia", ["59118001"], "RBBB", 1),
    ("georgia", ["63593006"], "PAC", 1),
    ("georgia", ["17338001"], "PVC", 1),
    ("georgia", ["427172004"], "PVC", 1),
    ("georgia", ["164884008"], "PVC", 1),
    ("cpsc-2018", ["164884008"], "PVC", 1),
    ("challenge-ptb-xl", ["164884008"], "PVC", 1),
    # PTB-XL's SVARR became 63593006 in the Challenge's copy: neither is a PAC there.
    ("ptb-xl", ["SVARR"], "PAC", -1),
    ("ptb-xl", ["SVARR", "PAC"], "PAC", 1),
    ("challenge-ptb-xl", ["63593006"], "PAC", -1),
    ("challenge-ptb-xl", ["284470004"], "PAC", 1),
    # Bigeminy and trigeminy: of the ventricle, or of unknown origin.
    ("georgia", ["11157007"], "PVC", 1),
    ("georgia", ["251180001"], "PVC", 1),
    ("incart", ["251182009"], "PVC", 1),
    ("incart", ["251173003"], "PAC", 1),
    ("ptb-xl", ["BIGU"], "PVC", -1),
    ("ptb-xl", ["BIGU"], "PAC", -1),
    ("ptb-xl", ["PRC(S)"], "PVC", -1),
    ("ptb-xl", ["TRIGU", "PVC"], "PVC", 1),
    ("ptb-xl", ["TRIGU", "PVC"], "PAC", -1),
    ("challenge-ptb-xl", ["11157007"], "PVC", -1),
    ("chapman-shaoxing", ["251180001"], "PVC", -1),
    # An escape beat is not a premature beat.
    ("chapman-shaoxing", ["75532003"], "PVC", 0),
    ("ningbo", ["251187003"], "PAC", 0),
    # Fibrillation and flutter.
    ("georgia", ["195080001"], "AF", -1),
    ("georgia", ["195080001"], "AFL", -1),
    ("georgia", ["195080001"], "AF_AFL", 1),
    ("georgia", ["195080001", "164889003"], "AF", 1),
    ("ningbo", ["164890007"], "AF", -1),
    ("ningbo", ["164890007"], "AFL", -1),
    ("ningbo", ["164890007"], "AF_AFL", 1),
    ("ningbo", ["426783006"], "AF_AFL", 0),
    ("chapman-shaoxing", ["164890007"], "AF", 0),
    ("chapman-shaoxing", ["164890007"], "AFL", 1),
    ("cpsc-2018-extra", ["426749004"], "AF", 1),
    ("incart", ["282825002"], "AF", -1),
    # Sinus rhythm is not a normal ECG, and CPSC-2018's 426783006 is the class Normal.
    ("ptb-xl", ["SR"], "NORM", -1),
    ("ptb-xl", ["SR", "LVH"], "NORM", 0),
    ("ptb-xl", ["NORM"], "NSR", -1),
    ("ptb-xl", ["NORM", "SR"], "NSR", 1),
    ("ptb-xl", ["NORM", "SBRAD"], "NORM", 1),
    ("challenge-ptb-xl", ["426783006"], "NORM", -1),
    ("challenge-ptb-xl", ["426783006"], "NSR", -1),
    ("cpsc-2018", ["426783006"], "NORM", 1),
    ("cpsc-2018", ["164889003"], "NORM", 0),
    ("cpsc-2018", ["426783006"], "NSR", -1),
    ("ptb", ["426783006"], "NORM", -1),
    ("ptb", ["426783006"], "NSR", -1),
    ("georgia", ["426783006"], "NSR", -1),
    ("georgia", ["426783006"], "NORM", -1),
    ("ningbo", ["426783006", "164934002"], "NSR", 1),
    ("ningbo", ["426783006"], "NORM", -1),
    # Unspecified statements leave what they do not specify open.
    ("cpsc-2018-extra", ["6374002"], "LBBB", -1),
    ("cpsc-2018-extra", ["6374002"], "IRBBB", -1),
    ("cpsc-2018-extra", ["6374002"], "BBB_ANY", 1),
    ("cpsc-2018-extra", ["6374002", "59118001"], "RBBB", 1),
    ("georgia", ["6374002", "59118001"], "LBBB", 0),
    ("georgia", ["6374002", "59118001"], "BBB_ANY", 1),
    ("ningbo", ["6374002"], "BBB_ANY", -1),
    ("ningbo", ["6374002"], "NSIVCB", -1),
    ("ningbo", ["6374002"], "CD", 1),
    ("georgia", ["233917008"], "IAVB", -1),
    ("georgia", ["233917008"], "IIIAVB", -1),
    ("georgia", ["233917008"], "AVB", 1),
    ("cpsc-2018-extra", ["426627000"], "SB", -1),
    ("cpsc-2018-extra", ["426177001"], "Brady", 1),
    ("georgia", ["266249003"], "LVH", -1),
    ("georgia", ["266249003"], "HYP", 1),
    ("georgia", ["195126007"], "RAE", -1),
    ("georgia", ["428750005"], "STD", -1),
    ("georgia", ["428750005"], "TAb", -1),
    ("georgia", ["428750005"], "STTC", 1),
    ("georgia", ["164930006"], "STE", -1),
    ("georgia", ["164934002"], "TInv", -1),
    ("georgia", ["59931005"], "TAb", 1),
    ("ptb-xl", ["LOWT"], "TInv", 0),
    ("incart", ["427084000"], "STach", -1),
    ("incart", ["426761007"], "SVT", -1),
    ("incart", ["426761007"], "PAC", 1),
    # Chapman's and Ningbo's names.
    ("chapman-shaoxing", ["164930006"], "STE", -1),
    ("chapman-shaoxing", ["164930006"], "STTC", -1),
    ("chapman-shaoxing", ["164931005"], "STE", 1),
    ("chapman-shaoxing", ["251146004"], "LQRSV", -1),
    ("chapman-shaoxing", ["251146004"], "PRWP", -1),
    ("ningbo", ["365413008"], "PRWP", 1),
    ("ningbo", ["251146004"], "LQRSV", 1),
    # Hypertrophy: by voltage is narrower, but not PTB-XL's superclass.
    ("chapman-shaoxing", ["55827005"], "LVH", 1),
    ("ningbo", ["164873001"], "LVHV", -1),
    ("ptb-xl", ["VCLVH"], "LVH", 1),
    ("ptb-xl", ["VCLVH"], "HYP", -1),
    ("ningbo", ["55827005"], "HYP", -1),
    # Incomplete and complete blocks are different concepts with a common parent.
    ("georgia", ["713426002"], "RBBB", 0),
    ("georgia", ["713426002"], "BBB_ANY", 1),
    # Infarction.
    ("ptb-xl", ["INJAS"], "MI", -1),
    ("ptb-xl", ["INJAS"], "AMI", -1),
    ("ptb-xl", ["PMI"], "MI", 1),
    ("ptb-xl", ["ALMI"], "LMI", 1),
    ("ptb-xl", ["AMI"], "IMI", 0),
    ("ptb-xl", ["IMI"], "QAb", -1),
    ("ptb-xl", ["IMI"], "STE", -1),
    ("cpsc-2018-extra", ["164867002"], "MI", 1),
    ("cpsc-2018-extra", ["164867002"], "AMI", -1),
    ("ptb", ["53741008"], "MI", -1),
    ("ptb", ["426783006"], "MI", 0),
    # PTB-XL's form statements are outside its superclasses, but not outside what these are about.
    ("ptb-xl", ["STD_"], "STTC", -1),
    ("georgia", ["429622005"], "STTC", -1),
    ("ptb-xl", ["LPR"], "CD", -1),
    ("ptb-xl", ["LPR"], "IAVB", -1),
    # Nine classes and nothing else.
    ("cpsc-2018", ["164889003"], "AFL", -1),
    ("cpsc-2018", ["164889003"], "AF_AFL", -1),
    ("cpsc-2018", ["164889003"], "RBBB", 0),
    ("cpsc-2018", ["59118001"], "BBB_ANY", -1),
    # Pacing and pre-excitation under their narrower names.
    ("georgia", ["251266004"], "PR", 1),
    ("chapman-shaoxing", ["195060002"], "WPW", 1),
    # A record on which nothing was found, and one with a code that nobody knows.
    ("georgia", [], "AF", 0),
    ("georgia", ["1"], "AF", -1),
    ("georgia", ["1", "164889003"], "AF", 1),
    ("georgia", ["1", "164889003"], "RBBB", -1),
    ("georgia", [], "VT", -1),
]


@pytest.mark.parametrize(("cohort", "codes", "concept", "expected"), TRAPS)
def test_trap(cohort, codes, concept, expected):
    assert label(cohort, concept, *codes) == expected


def test_the_native_classes_of_cpsc_2018_mean_what_the_challenge_made_of_them(ontology):
    snomed = [
        "426783006",
        "164889003",
        "270492004",
        "164909002",
        "59118001",
        "284470004",
        "164884008",
        "429622005",
        "164931005",
    ]
    native = ontology.labels("cpsc-2018", "cpsc2018", [[str(number)] for number in range(1, 10)])
    copied = ontology.labels("cpsc-2018", "snomed", [[code] for code in snomed])
    pd.testing.assert_frame_equal(native, copied)
    nine = ["NORM", "AF", "IAVB", "LBBB", "RBBB", "PAC", "PVC", "STD", "STE"]
    assert list(ontology.coverage("cpsc-2018").loc[lambda state: state == "annotated"].index) == [
        concept for concept in ontology.concepts.index if concept in nine
    ]
    assert (native[nine].to_numpy() == 1).sum() == 9


# Where a vocabulary answers the question of the detail by a statement of its own whenever it applies, a
# statement without the detail is an answer too: the carts' programme appends the ventricular rate and the
# pattern of ectopic beats, EchoNext's values stand beside its flags.
ANSWERED = {
    "mimic": {"AFRVR", "PVCbig"},
    "echonext": {"LVEF45", "LVEF40", "LVEF35", "AS_SEV", "AR_SEV", "MR_SEV", "TR_SEV", "RVSD_SEV"},
}
ANSWERED["echonext_publisher"] = ANSWERED["echonext"]


def test_a_code_that_names_a_parent_says_something_of_each_child(ontology):
    for name, table in ontology.vocabularies.items():
        general = table[table["cohort"] == ""]
        for code, concept in general.loc[general["relation"] == "same", ["code", "concept"]].itertuples(
            index=False
        ):
            stated = set(general.loc[general["code"] == code, "concept"])
            below = set(ontology.descendants(concept)) - ANSWERED.get(name, set())
            assert below <= stated, (name, code, concept)


def test_every_concept_of_a_parent_is_found_by_name(ontology):
    assert ontology.descendants("AF_AFL") == ("AF", "AFRVR", "AFL")
    assert set(ontology.descendants("BBB_ANY")) == {"LBBB", "RBBB", "ILBBB", "IRBBB"}
    assert set(ontology.descendants("AVB")) == {"IAVB", "IIAVB", "MobI", "IIIAVB"}
    assert ontology.descendants("LVEF50") == ("LVEF45", "LVEF40", "LVEF35")
    assert ontology.descendants("NORM") == ()


def test_the_main_code_of_a_concept_means_that_concept(ontology):
    snomed = ontology.vocabularies["snomed"]
    for concept, code in ontology.concepts["snomed"].items():
        if code:
            rows = snomed[
                (snomed["code"] == code) & (snomed["concept"] == concept) & (snomed["cohort"] == "")
            ]
            assert list(rows["relation"]) == ["same"], (concept, code)
    # PRWP has no code of its own: the Challenge's means any finding of the R wave.
    assert set(ontology.concepts.loc[SCORED_BY_THE_CHALLENGE, "snomed"]) - {""} <= set(snomed["code"])


def test_every_concept_has_two_to_four_prompts_of_its_own(ontology):
    prompts = list(chain.from_iterable(ontology.concepts["prompts"]))
    assert len(prompts) == len({prompt.lower() for prompt in prompts})
    assert ontology.concepts["prompts"].map(len).between(2, 4).all()
    # A prompt must not deny what it describes: text encoders hardly read negations.
    assert not [prompt for prompt in prompts if re.search(r"\b(no|not|never)\b", prompt)]


def test_a_parent_is_negative_only_where_all_its_children_can_be(ontology):
    parents = [concept for concept in ontology.concepts.index if ontology.descendants(concept)]
    assert len(parents) == 22
    explained = 0
    for cohort in ontology.cohorts:
        coverage = ontology.coverage(cohort)
        for parent in parents:
            open_children = [c for c in ontology.descendants(parent) if coverage[c] != "annotated"]
            if coverage[parent] == "annotated" and open_children:
                reason = ontology.coverage_reason(cohort, parent)
                assert reason.startswith(f"Complete without {', '.join(open_children)}: "), (cohort, parent)
                explained += 1
    assert explained


def test_every_cohort_states_every_concept_once_with_a_reason(ontology):
    for cohort in COHORTS:
        coverage = ontology.coverage(cohort)
        assert list(coverage.index) == list(ontology.concepts.index)
        assert set(coverage) <= {"annotated", "not annotated", "ambiguous"}
        assert all(ontology.coverage_reason(cohort, concept) for concept in coverage.index)


@pytest.mark.parametrize(
    ("cohort", "concept", "state", "reason"),
    [
        ("ningbo", "AF", "not annotated", "coded as flutter"),
        ("ningbo", "AFL", "ambiguous", "none of fibrillation"),
        ("ningbo", "AF_AFL", "annotated", "Complete without AF, AFRVR, AFL"),
        ("georgia", "MI", "ambiguous", "7 of 10,344"),
        ("chapman-shaoxing", "NSR", "annotated", "exactly one rhythm"),
        ("cpsc-2018", "SB", "not annotated", "nine classes"),
        ("ptb-xl", "LAD", "annotated", "heart_axis"),
    ],
)
def test_coverage_and_its_reason(ontology, cohort, concept, state, reason):
    assert ontology.coverage(cohort)[concept] == state
    assert reason in ontology.coverage_reason(cohort, concept)


def test_labels_are_int8_one_column_a_concept_also_for_no_record(ontology):
    for statements in ([], [["SR"], []]):
        labels = ontology.labels("ptb-xl", "scp", statements)
        assert labels.shape == (len(statements), len(ontology.concepts))
        assert list(labels.columns) == list(ontology.concepts.index)
        assert (labels.dtypes == "int8").all()


def test_statements_may_come_as_any_collection(ontology):
    wanted = ontology.labels("ptb-xl", "scp", [["AFIB", "LVH"]])
    for codes in (("AFIB", "LVH"), {"AFIB", "LVH"}, {"AFIB": 100.0, "LVH": 0.0}, pd.Index(["AFIB", "LVH"])):
        pd.testing.assert_frame_equal(ontology.labels("ptb-xl", "scp", [codes]), wanted)
    column = pd.Series([("AFIB", "LVH")], index=[7])
    pd.testing.assert_frame_equal(ontology.labels("ptb-xl", "scp", column), wanted)


@pytest.mark.parametrize(
    "statements",
    [["AFIB"], [["SR"], "AFIB"], [None], [float("nan")], [["SR", None]], [[426783006]], [[b"SR"]]],
)
def test_statements_that_are_no_codes_are_refused(ontology, statements):
    with pytest.raises(UsageError, match=r"^The statements of record [01] .*; give .*\.$"):
        ontology.labels("ptb-xl", "scp", statements)
    with pytest.raises(UsageError, match="record"):
        ontology.unknown_codes("scp", statements)


def test_unknown_codes_are_counted_once_a_record_and_known_ones_are_not(ontology):
    statements = [["XYZ", "XYZ", "426783006"], ["XYZ", " 426783006"], ["266257000", "75532003"]]
    assert ontology.unknown_codes("snomed", statements) == {" 426783006": 1, "XYZ": 2}
    assert ontology.unknown_codes("snomed", []) == {}


def test_a_wrong_name_teaches(ontology):
    with pytest.raises(UnknownNameError, match=r"Unknown cohort 'georgi'\. Did you mean 'georgia'\?"):
        ontology.labels("georgi", "snomed", [])
    with pytest.raises(UnknownNameError, match=r"Unknown vocabulary 'snomde'\. Did you mean 'snomed'\?"):
        ontology.labels("georgia", "snomde", [])
    with pytest.raises(UnknownNameError, match=r"Unknown concept 'LBB'\. Did you mean 'LBBB'\?"):
        ontology.coverage_reason("georgia", "LBB")
    for call in (
        lambda: ontology.coverage("x"),
        lambda: ontology.coverage_reason("x", "AF"),
        lambda: ontology.descendants("x"),
        lambda: ontology.unknown_codes("x", []),
    ):
        with pytest.raises(UnknownNameError, match=r"Unknown \w+ 'x'.* Available: .*\.$"):
            call()
