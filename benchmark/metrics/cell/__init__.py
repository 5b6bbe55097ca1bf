"""Everything that is computed for one cell, from the plain functions of `benchmark.metrics`."""
