"""Judging traces by hand: a fair draw, the questions, and the truth file of the answers."""
