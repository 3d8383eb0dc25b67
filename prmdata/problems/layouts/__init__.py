"""Known layouts of problem sets: one file each, recognised by their columns."""
