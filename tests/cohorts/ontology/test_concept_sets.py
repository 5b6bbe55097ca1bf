"""Named sets of concepts."""

from cohorts.ontology import load_ontology
from cohorts.ontology.concept_sets import ALL, concept_sets


def test_sets_hold_concepts_of_the_ontology_in_its_order() -> None:
    ontology = load_ontology()
    sets = concept_sets(ontology)
    everything = sets[ALL]
    assert set(everything) == set(ontology.concepts.index)
    for concepts in sets.values():
        assert concepts
        assert set(concepts) <= set(everything)
    assert {"AF", "AFL", "PVC"} <= set(sets["rhythm"])
    assert "AF" not in sets["conduction"]
    assert sets["superclasses"] == ("NORM", "MI", "STTC", "CD", "HYP")
