"""One module per group of endpoints; each has ``add_routes``."""
