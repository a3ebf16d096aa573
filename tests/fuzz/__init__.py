"""Recorded requests and records, damaged by the hundred thousand; seeded, so that a finding comes again."""
