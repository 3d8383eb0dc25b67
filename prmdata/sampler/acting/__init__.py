"""A model and an environment that take turns, from any prefix of a trace that acts."""
