"""How solutions are written for a reward model, and what its numbers mean."""
