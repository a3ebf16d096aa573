"""CDEvents 0.5.1: building, upgrading and validating the vocabulary that every source is mapped to."""
