"""The commands of `dora`: each module is one, with a function of its name; its first line is the summary."""
