"""The embedded world: worded sums, an exact oracle of every step, and a small language model."""

from __future__ import annotations

from pathlib import Path

from prmdata.abacus.oracle import Judgement, StepTruth, judge
from prmdata.abacus.solutions import solution
from prmdata.abacus.stories import Story, story

__all__ = [
    "GENERATOR_VERSION",
    "MODEL",
    "Judgement",
    "StepTruth",
    "Story",
    "judge",
    "solution",
    "story",
]

GENERATOR_VERSION = "2"
"""Changes whenever a (seed, index, level) tells another story; a test holds its hash."""
MODEL = Path(__file__).parent / "model"
