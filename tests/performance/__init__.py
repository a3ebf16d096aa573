"""Measurements: what they stand on, and that one which fails costs the others nothing."""
