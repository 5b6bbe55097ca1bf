"""The report of a run: leaderboard, tables, figures and page, a pure function of its result records.

`benchmark.report.writing` writes it. Nothing is imported here: the tables of a terminal need a part of this
room, and no figures.
"""
