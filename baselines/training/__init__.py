"""Training networks on labels: crops, loops, recipes and the recordings they stream."""
