"""How fast optoutkit is, as ratios against bare peers in the same run: ``python -m benchmarks``."""
