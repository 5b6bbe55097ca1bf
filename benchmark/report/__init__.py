"""The report of a run: leaderboard, tables, figures and page, a pure function of its result records."""

from benchmark.report.writing import write_board, write_report

__all__ = ["write_board", "write_report"]
