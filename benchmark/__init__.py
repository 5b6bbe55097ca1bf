"""How it is measured: model contract, runner, metrics, results and report."""

__version__ = "0.2.0"
