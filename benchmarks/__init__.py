"""What the pipeline can do, measured on the embedded parts: `dora bench`."""
