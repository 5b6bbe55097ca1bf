"""The label ontology: what a statement means, in which release, and what its absence means."""

from cohorts.ontology.ontology import Ontology, load_ontology

__all__ = ["Ontology", "load_ontology"]
