"""When enough traces of a problem were sampled to know whether `--keep` would keep it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from prmdata.records import Trace

Band = tuple[float, float]


def keeps(right: int, wrong: int, n: int, band: Band) -> bool:
    """Whether the pass rate of n traces lies in the band, or may: the others have no outcome."""
    return band[0] <= 1 - wrong / n and right / n <= band[1]


def chance_of_keeping(right: int, wrong: int, missing: int, n: int, band: Band) -> float:
    """How likely n traces would keep the problem, with so many still missing.

    The pass rate is as likely any number, before the first trace; those still missing end right
    or wrong (a beta-binomial).
    """
    return sum(
        _beta_binomial(more, missing, 1 + right, 1 + wrong)
        for more in range(missing + 1)
        if keeps(right + more, wrong + missing - more, n, band)
    )


def decided(traces: Sequence[Trace], n: int, band: Band, certainty: float) -> bool:
    """Whether it is clear enough what all n traces would say."""
    right = sum(trace.correct is True for trace in traces)
    wrong = sum(trace.correct is False for trace in traces)
    chance = chance_of_keeping(right, wrong, n - len(traces), n, band)
    return max(chance, 1 - chance) >= certainty


def waves(n: int) -> Iterator[tuple[int, int]]:
    """The first sample of each wave, and its size: small ones, for each may be the last."""
    size = max(n // 16, 1)
    start, wave = 0, min(2 * size, n)
    while start < n:
        yield start, wave
        start += wave
        wave = min(size, n - start)


def _beta_binomial(hits: int, of: int, a: int, b: int) -> float:
    return math.comb(of, hits) * math.exp(_log_beta(hits + a, of - hits + b) - _log_beta(a, b))


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
