"""Programs that are measured beside the pipeline: yardsticks, and single stages of it."""
