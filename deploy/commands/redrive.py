"""Have dead letters handled again; the same as `dora deadletters redrive`."""

from deploy.commands.deadletters import redrive

__all__ = ["redrive"]
