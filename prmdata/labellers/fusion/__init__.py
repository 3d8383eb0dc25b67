"""Several imperfect judges → one belief: the machine behind `weaver`."""
