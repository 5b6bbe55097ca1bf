def fuzzings(stage): return []
