"""The chain behind `posterior`: a trace is right up to its first error and wrong after it, first
perhaps with its answer still open, then settled; at every prefix the policy succeeds at some rate.

Letters of the arrays: b traces (or priors) computed at once, t nodes, j segments between them, s
the side (right, open, settled), c the pair of shares of misses that end in the trace's own answer
(before and after it is settled), l levels of the hit rate. A node is a prefix; between two nodes
lie one or more steps, and the first error may be any of those.

With R_t the weights of a right prefix over levels, h_i P(error at step i | none before), x_i what
the step's own evidence says for its being the error (against its being right), y_i the same for a
step after the error, E the likelihood of the rollouts at a prefix:

    R_i = E_i · (R_{i-1} (1 - h_i), moved among the levels)
    P(f = i | all) ∝ R_{i-1} h_i x_i · (E_i · everything that follows, given an error at i)

so the posterior takes one pass forward and one back. The evidence of right steps is the unit. A
wrong prefix that is open is settled by a later error, in the same way; either may be put right
again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prmdata.labellers.belief.numbers import Array
from prmdata.labellers.belief.policy import RATES, Tables

RIGHT, OPEN, SETTLED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Segments:
    """What lies between neighbouring nodes, by segment j (from node j to node j + 1)."""

    hazard_bjl: Array
    """P(the first error lies in here | none before), by the level of the prefix."""
    settle_bj: Array
    """P(a wrong answer that is open is settled in here)."""
    error_bjl: Array
    """What its steps' evidence says for an error in here, with the steps after it wrong."""
    after_bj: Array
    """What it says for steps that all lie after the error."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Both passes over the chain."""

    never_tbcl: Array
    """Weights of "no error so far" with all that was seen up to the node."""
    now_tbscl: Array
    """Weights of either side, errors put right included, with all that was seen up to the node."""
    rest_tbscl: Array
    """Likelihood of all that is seen after the node, given side and level at it."""
    log_first_bjl: Array
    """Log-weight of "the first error lies in segment j, and the prefix before it is of level l"; of
    the fatal one, if that is looked for."""
    last_tbscl: Array
    """The rest, given that nothing is put right in it: of either wrong side, if the fatal error is
    looked for."""
    log_b: Array
    """The log-probability of all that was seen."""


@dataclass(frozen=True, slots=True)
class Forward:
    """The pass forward, scaled at each node."""

    never_tbcl: Array
    now_tbscl: Array
    log_tb: Array
    """What was scaled away."""
    end_bscl: Array
    """The likelihood of how the trace ends."""

    @property
    def log_b(self) -> Array:
        ends = (self.now_tbscl[-1] * self.end_bscl).sum((1, 2, 3))
        return np.asarray(self.log_tb[-1] + np.log(ends))


def forward(tables: Tables, seg: Segments, seen_tbscl: Array, ends_right: bool) -> Forward:
    """`seen_tbscl`: the likelihood of the rollouts at each node but the last, which is the
    ending."""
    nodes = len(seen_tbscl)
    B = max(seg.hazard_bjl.shape[0], len(tables.start_hl), seen_tbscl.shape[1])
    C, L = seen_tbscl.shape[3:]
    never, now = np.empty((nodes + 1, B, C, L)), np.empty((nodes + 1, B, 3, C, L))
    log_tb = np.zeros((nodes + 1, B))
    never[0] = tables.class_hc[:, :, None] * tables.start_hl[:, None] * seen_tbscl[0, :, RIGHT]
    now[0] = 0.0
    now[0, :, RIGHT] = never[0]
    log_tb[0] = _scale(now[0], never[0])
    start, entry = tables.start_hl[:, None], tables.entry_hll
    second = tables.second_h[:, None, None]
    for j in range(nodes):
        h = seg.hazard_bjl[:, j, None]
        s, y = (a[:, j, None, None] for a in (seg.settle_bj, seg.after_bj))
        x = seg.error_bjl[:, j, None]
        mend = tables.mend_jh[j, :, None, None]
        never[j + 1] = _moved((1 - h) * never[j], tables.right_jhll[j])
        right, opened, settled = now[j, :, RIGHT], now[j, :, OPEN], now[j, :, SETTLED]
        mended = mend * y * (opened + settled).sum(-1, keepdims=True) * start
        now[j + 1, :, RIGHT] = _moved((1 - h) * right, tables.right_jhll[j]) + mended
        entered, on = _moved(x * h * right, entry), (1 - mend) * y
        wrong = tables.wrong_jhll[j]
        now[j + 1, :, OPEN] = second * entered + on * (1 - s) * _moved(opened, wrong)
        now[j + 1, :, SETTLED] = (
            (1 - second) * entered + on * s * _moved(opened, entry) + on * _moved(settled, wrong)
        )
        if j + 1 < nodes:
            never[j + 1] *= seen_tbscl[j + 1, :, RIGHT]
            now[j + 1] *= seen_tbscl[j + 1]
        log_tb[j + 1] = log_tb[j] + _scale(now[j + 1], never[j + 1])
    end = np.ones((B, 3, C, L))
    if ends_right:
        end[:, OPEN:] = RATES
    else:
        end[:, :SETTLED] = 0.0
    return Forward(never, now, log_tb, end)


def run(
    tables: Tables, seg: Segments, seen_tbscl: Array, ends_right: bool, *, fatal: bool = False
) -> Passes:
    """Both passes. The fatal error is the last one from a right prefix: none behind it is put right
    again."""
    ahead = forward(tables, seg, seen_tbscl, ends_right)
    never, now, log_tb = ahead.never_tbcl, ahead.now_tbscl, ahead.log_tb
    nodes = len(seen_tbscl)
    B, _, C, L = ahead.end_bscl.shape
    rest = np.ones((nodes + 1, B, 3, C, L))
    rest[nodes] = ahead.end_bscl
    last = np.zeros((nodes + 1 if fatal else 0, B, 2, C, L))
    if fatal:
        last[nodes] = ahead.end_bscl[:, OPEN:]
    log_first = np.empty((B, nodes, L))
    log = ahead.log_b
    start, entry = tables.start_hl[:, None], tables.entry_hll
    second = tables.second_h[:, None, None]
    back_b = np.zeros(B)
    for j in range(nodes - 1, -1, -1):
        h = seg.hazard_bjl[:, j, None]
        s, y = (a[:, j, None, None] for a in (seg.settle_bj, seg.after_bj))
        x = seg.error_bjl[:, j, None]
        mend = tables.mend_jh[j, :, None, None]
        after = rest[j + 1] if j + 1 == nodes else rest[j + 1] * seen_tbscl[j + 1]
        entry_t = entry.swapaxes(1, 2)
        into_settled = _moved(after[:, SETTLED], entry_t)
        entered = h * x * (second * _moved(after[:, OPEN], entry_t) + (1 - second) * into_settled)
        at = (never[j] * entered).sum(1)
        if fatal:
            opened, settled = last[j + 1, :, 0], last[j + 1, :, 1]
            if j + 1 < nodes:
                opened, settled = (
                    opened * seen_tbscl[j + 1, :, OPEN],
                    settled * seen_tbscl[j + 1, :, SETTLED],
                )
            for_good = _moved(settled, entry_t)
            kept = h * x * (second * _moved(opened, entry_t) + (1 - second) * for_good)
            at = (now[j, :, RIGHT] * kept).sum(1)
        with np.errstate(divide="ignore"):
            log_first[:, j] = np.log(at) + (log_tb[j] + back_b)[:, None]
        right_t, wrong_t = tables.right_jhll[j].swapaxes(1, 2), tables.wrong_jhll[j].swapaxes(1, 2)
        rest[j, :, RIGHT] = (1 - h) * _moved(after[:, RIGHT], right_t) + entered
        mended = y * mend * (after[:, RIGHT] * start).sum(-1, keepdims=True)
        on = (1 - mend) * y
        rest[j, :, OPEN] = mended + on * (
            (1 - s) * _moved(after[:, OPEN], wrong_t) + s * into_settled
        )
        rest[j, :, SETTLED] = mended + on * _moved(after[:, SETTLED], wrong_t)
        top = rest[j].max((1, 2, 3))
        rest[j] /= top[:, None, None, None]
        if fatal:
            last[j, :, 0] = on * ((1 - s) * _moved(opened, wrong_t) + s * for_good)
            last[j, :, 1] = on * _moved(settled, wrong_t)
            last[j] /= top[:, None, None, None]
        back_b = back_b + np.log(top)
    return Passes(never, now, rest, log_first, last, log)


def _scale(now: Array, never: Array) -> Array:
    total = now.sum((1, 2, 3))
    now /= total[:, None, None, None]
    never /= total[:, None, None]
    return np.asarray(np.log(total))


def _moved(weights_bcl: Array, moves_hll: Array) -> Array:
    """Weights after a move among levels: by one matrix, or one for each b."""
    if len(moves_hll) == 1:  # one product, not one for each b
        flat: Array = weights_bcl.reshape(-1, weights_bcl.shape[-1]) @ moves_hll[0]
        return flat.reshape(weights_bcl.shape)
    moved: Array = weights_bcl @ moves_hll
    return moved
