"""How it is measured: model contract, runner, metrics, results and report."""

__version__ = "0.1.0"
