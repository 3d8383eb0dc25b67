"""How the evidence in a trace is read: the machinery of the methods that decide from it."""
