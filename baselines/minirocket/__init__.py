"""MiniRocket: convolutions with fixed kernels, then logistic regression."""
