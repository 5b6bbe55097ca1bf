"""``python -m benchmark`` is the ``leadboard`` command."""

from benchmark.cli import main

main()
