"""The built-in sources, one module each. A module is found by being here and having a ``source``."""
