"""What only containers need: a health check, roles of a database that is theirs, the demo, the SBOM."""
