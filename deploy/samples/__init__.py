"""Sample events: three months of a small software organisation, the same for everyone on the same day."""
