"""What the frozen model makes of every step of a trace: the features that reward models learn on.

A step's state is the model's hidden state at its last token and the mean over its tokens; its
surprise is how unlikely its tokens were, at the least and on average, and how unsure the model was
where it wrote them, in this step and in all steps so far.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from prmdata.exports.tokens import last_tokens, load
from prmdata.records import Trace
from prmdata.sampler import ABACUS_MODEL
from prmdata.sampler.models.rendering import read_template

BATCH = 64
STATES = 512
"""The first features are states, the others surprise."""
Steps = dict[str, np.ndarray]
"""Trace → a row of features for each of its steps."""


def features(traces: Sequence[Trace]) -> Steps:
    model = AutoModelForCausalLM.from_pretrained(ABACUS_MODEL, dtype=torch.float32).eval()
    by_length = sorted(traces, key=lambda trace: len(trace.text))
    found: Steps = {}
    for start in range(0, len(by_length), BATCH):
        some = by_length[start : start + BATCH]
        found.update(zip((t.id for t in some), _of_batch(model, some), strict=True))
    return found


@torch.inference_mode()
def _of_batch(model: torch.nn.Module, traces: Sequence[Trace]) -> Iterator[np.ndarray]:
    template, tokenizer = read_template(ABACUS_MODEL), load(str(ABACUS_MODEL))
    heads = [template.open_turn(trace.origin.messages) for trace in traces]
    encoded = [
        tokenizer.encode(head + trace.text, add_special_tokens=False)
        for head, trace in zip(heads, traces, strict=True)
    ]
    longest = max(len(one.ids) for one in encoded)
    ids_BT = torch.tensor([one.ids + [0] * (longest - len(one.ids)) for one in encoded])
    out = model(input_ids=ids_BT, output_hidden_states=True)
    logs_BTV = out.logits[:, :-1].log_softmax(-1)
    surprise_BT = torch.zeros(ids_BT.shape)
    surprise_BT[:, 1:] = -logs_BTV.gather(-1, ids_BT[:, 1:, None])[..., 0]
    doubt_BT = torch.zeros(ids_BT.shape)
    doubt_BT[:, 1:] = -(logs_BTV.exp() * logs_BTV).sum(-1)
    states_BTD = out.hidden_states[-1]
    for row, (trace, head, one) in enumerate(zip(traces, heads, encoded, strict=True)):
        ends = np.cumsum([len(head), *(len(step.text) for step in trace.steps)])
        places = last_tokens(one, ends.tolist())
        yield _of_steps(
            states_BTD[row].numpy(), surprise_BT[row].numpy(), doubt_BT[row].numpy(), places
        )


def _of_steps(
    states_TD: np.ndarray, surprise_T: np.ndarray, doubt_T: np.ndarray, places: Sequence[int]
) -> np.ndarray:
    """`places`: the last token of the question, and that of each step."""
    begun = places[0] + 1
    rows = []
    for number, (before, last) in enumerate(itertools.pairwise(places)):
        here, so_far = slice(before + 1, last + 1), slice(begun, last + 1)
        surprise, doubt = surprise_T[here], doubt_T[here]
        told = [
            surprise.max(),
            surprise.mean(),
            surprise.sum(),
            (surprise - doubt).max(),
            doubt.max(),
            surprise_T[so_far].max(),
            surprise_T[so_far].mean(),
            (surprise_T - doubt_T)[so_far].max(),
            number,
        ]
        rows.append(np.concatenate([states_TD[last], states_TD[here].mean(0), told]))
    return np.array(rows, np.float32)
