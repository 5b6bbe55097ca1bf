"""The 27 items of TRIPOD+AI (Collins et al., BMJ 2024;385:e078378), each in a few words of our own."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item of the checklist, or one part of it.

    Attributes
    ----------
    number, title
        As in the statement: ``5b`` is the second part of item 5.
    ask
        What a paper should say.
    blank
        What no run can know of it; empty where a run may know all.
    """

    number: str
    title: str
    ask: str
    blank: str = ""

    @property
    def whole(self) -> int:
        """Number of the item without its part."""
        return int(self.number.rstrip("abcdefg"))


SECTIONS: dict[str, tuple[Item, ...]] = {
    "Title and abstract": (
        Item("1", "Title", "that a model is evaluated, for whom, and what it tells", "the title"),
        Item("2", "Abstract", "a structured summary, by TRIPOD+AI for Abstracts", "the abstract"),
    ),
    "Introduction": (
        Item("3a", "Healthcare context", "why such a model is wanted, and which there are", "the context"),
        Item("3b", "Population and use", "whom it is for, at which point of care, who reads it", "all of it"),
        Item("3c", "Inequalities", "known differences in health between groups of people", "all of it"),
        Item("4", "Objectives", "whether models are developed, evaluated or both", "the aim of the study"),
    ),
    "Methods": (
        Item(
            "5a",
            "Data: sources",
            "where the data are from, and why these",
            "why these, and for whom they stand",
        ),
        Item("5b", "Data: dates", "first and last day of the recordings", "from the releases' own documents"),
        Item(
            "6a",
            "Participants: setting",
            "kind, number and place of the centres",
            "kind and number of centres",
        ),
        Item(
            "6b",
            "Participants: eligibility",
            "who was taken in and who was not",
            "the releases' own criteria",
        ),
        Item("6c", "Participants: treatment", "treatments, and how they were dealt with", "all of it"),
        Item("7", "Data preparation", "what was done to the data before a model saw them"),
        Item(
            "8a", "Outcome: definition", "what is predicted, and how it was assessed", "how it was assessed"
        ),
        Item("8b", "Outcome: assessors", "who assessed it, with which training", "all of it"),
        Item(
            "8c", "Outcome: blinding", "what the assessors knew", "what the annotators of the releases knew"
        ),
        Item("9a", "Predictors: choice", "how they were chosen", "why these inputs"),
        Item("9b", "Predictors: definition", "what each is, and how and when it was measured", "the devices"),
        Item("9c", "Predictors: assessors", "who assessed those that need a judgement"),
        Item("10", "Sample size", "how it was arrived at, and whether it is enough", "whether it is enough"),
        Item("11", "Missing data", "what was missing and what was done about it"),
        Item("12a", "Analysis: use of the data", "which records served for what"),
        Item("12b", "Analysis: predictors", "how predictors were transformed", "inside of the models"),
        Item(
            "12c",
            "Analysis: models",
            "kind of model, how it was built and checked",
            "choices in its building",
        ),
        Item("12d", "Analysis: heterogeneity", "how differences between places were handled"),
        Item("12e", "Analysis: measures", "all measures of performance, and why these", "why these"),
        Item("12f", "Analysis: updating", "whether models were changed after the evaluation"),
        Item("12g", "Analysis: predictions", "how the predictions were computed"),
        Item(
            "13",
            "Class imbalance",
            "whether and how rare outcomes were treated apart",
            "in the training of models that came with their weights",
        ),
        Item("14", "Fairness", "what was done for fairness, and why", "why, and what else"),
        Item("15", "Model output", "what a model gives, and how thresholds were chosen"),
        Item(
            "16", "Training and evaluation", "how the data of the two differ", "other differences in setting"
        ),
        Item("17", "Ethics", "approval and consent, or why none was needed", "all of it"),
    ),
    "Open science": (
        Item("18a", "Funding", "who paid, and for what", "all of it"),
        Item("18b", "Conflicts of interest", "of all authors", "all of it"),
        Item("18c", "Protocol", "where it can be read", "all of it"),
        Item("18d", "Registration", "register and number", "all of it"),
        Item("18e", "Data sharing", "how others get the data", "of private cohorts"),
        Item("18f", "Code sharing", "how others get the code"),
    ),
    "Patients and public": (Item("19", "Involvement", "how patients and the public took part", "all of it"),),
    "Results": (
        Item("20a", "Participants: flow", "how many came in, were left out and why", "a diagram"),
        Item(
            "20b", "Participants: characteristics", "age, sex and the like, by data source", "a table of them"
        ),
        Item("20c", "Participants: comparison", "against those a model was developed on", "all of it"),
        Item("21", "Model development", "participants and outcomes in each analysis"),
        Item(
            "22",
            "Model specification",
            "all that is needed to use the model again",
            "where weights are to be had",
        ),
        Item("23a", "Performance", "with intervals, in groups of people too"),
        Item("23b", "Performance: heterogeneity", "between places"),
        Item("24", "Model updating", "the result of it"),
    ),
    "Discussion": (
        Item("25", "Interpretation", "what the results mean, fairness too", "all of it"),
        Item("26", "Limitations", "what may be biased, uncertain or not general", "all others"),
        Item("27a", "Use: poor input", "what happens to signals that are bad or missing", "in care"),
        Item("27b", "Use: people", "what users must do and know", "all of it"),
        Item("27c", "Use: next steps", "what is to be studied next", "all of it"),
    ),
}
