"""A trace that was read as one text, cut into its steps again."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from prmdata.records import Trace
from prmdata.sampler.protocol import Scored


def tokens_of(trace: Trace, read: Scored) -> list[range]:
    """The tokens of each step: those that begin in it. One that begins in the step before and
    reaches into this one is that step's, so a step may have none."""
    ends = list(accumulate(len(step.text) for step in trace.steps))
    last = [bisect_left(read.starts, end) for end in ends]
    return [range(begin, end) for begin, end in zip([0, *last], last, strict=False)]
