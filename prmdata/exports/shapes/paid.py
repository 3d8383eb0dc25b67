"""A trace whose steps are paid, in each trainer's own columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prmdata.exports.contract import Row
from prmdata.exports.rl import number
from prmdata.exports.shapes.chat import assistant, messages_type
from prmdata.exports.shapes.earned import Earned
from prmdata.exports.shapes.spans import Spans, Spread
from prmdata.records import Message, Trace, content_of

Layout = Literal["plain", "trl", "verl", "areal", "skyrl", "nemo-gym", "nemo-rl", "verifiers"]
Pay = Literal["credit", "rewards"]
Fields = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Paid:
    trace: Trace
    prompt: list[Message]
    earned: Earned
    spans: Spans | None
    spread: Spread
    pay: Pay

    @property
    def outcome(self) -> float | None:
        trace = self.trace
        if trace.score is not None:
            return trace.score
        return None if trace.correct is None else float(trace.correct)

    @property
    def paid(self) -> Sequence[float | None]:
        """What a trainer that works out advantages by itself takes as rewards."""
        return self.earned.advantages if self.pay == "credit" else self.earned.rewards

    @property
    def tokens(self) -> Spans:
        assert self.spans is not None  # `Credit` asks for a tokenizer
        return self.spans


def plain_fields() -> Fields:
    import pyarrow as pa

    numbers = pa.list_(pa.float64())
    return [
        ("prompt", messages_type()),
        ("completions", pa.list_(pa.string())),
        ("step_rewards", numbers),
        ("step_advantages", numbers),
        ("outcome", pa.float64()),
        ("group", pa.string()),
    ]


def token_fields() -> Fields:
    """What `plain` has more with a tokenizer."""
    import pyarrow as pa

    numbers, ids = pa.list_(pa.float64()), pa.list_(pa.int64())
    return [
        ("prompt_ids", ids),
        ("completion_ids", ids),
        ("step_spans", pa.list_(ids)),
        ("token_rewards", numbers),
        ("token_advantages", numbers),
    ]


def plain(item: Paid) -> Row:
    row = {
        "prompt": item.prompt,
        "completions": [step.text for step in item.trace.steps],
        "step_rewards": list(item.earned.rewards),
        "step_advantages": list(item.earned.advantages),
        "outcome": item.outcome,
        "group": item.trace.problem.id,
    }
    if item.spans is not None:
        row |= {
            "prompt_ids": item.spans.prompt_ids,
            "completion_ids": item.spans.ids,
            "step_spans": [list(span) for span in item.spans.steps],
            "token_rewards": item.spans.spread(item.earned.rewards, "last"),
            "token_advantages": item.spans.spread(item.earned.advantages, item.spread),
        }
    return row


def trl_fields() -> Fields:
    import pyarrow as pa

    numbers, ids = pa.list_(pa.float64()), pa.list_(pa.int64())
    return [
        ("prompt", messages_type()),
        ("completion", messages_type()),
        ("prompt_ids", ids),
        ("completion_ids", ids),
        ("advantages", numbers),
        ("reward", pa.float64()),
    ]


def trl(item: Paid) -> Row:
    return {
        "prompt": item.prompt,
        "completion": [assistant(item.trace.text)],
        "prompt_ids": item.tokens.prompt_ids,
        "completion_ids": item.tokens.ids,
        "advantages": item.tokens.spread(item.earned.advantages, item.spread),
        "reward": item.outcome,
    }


def verl_fields() -> Fields:
    import pyarrow as pa

    text, numbers, ids = pa.string(), pa.list_(pa.float64()), pa.list_(pa.int64())
    return [
        ("data_source", text),
        ("prompt", messages_type()),
        ("ability", text),
        ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
        ("extra_info", pa.struct([("index", pa.int64()), ("trace_id", text)])),
        ("uid", text),
        ("prompts", ids),
        ("responses", ids),
        ("rm_scores", numbers),
        ("advantages", numbers),
    ]


def verl(item: Paid) -> Row:
    problem = item.trace.problem
    return {
        "data_source": str(problem.meta.get("source") or "prmdata"),
        "prompt": item.prompt,
        "ability": problem.kind,
        "reward_model": {"style": "rule", "ground_truth": problem.answer or ""},
        "extra_info": {"index": number(problem.id), "trace_id": item.trace.id},
        "uid": problem.id,
        "prompts": item.tokens.prompt_ids,
        "responses": item.tokens.ids,
        "rm_scores": item.tokens.spread(item.paid, "last"),
        "advantages": item.tokens.spread(item.earned.advantages, item.spread),
    }


def areal_fields() -> Fields:
    import pyarrow as pa

    numbers, ids = pa.list_(pa.float64()), pa.list_(pa.int64())
    return [
        ("input_ids", ids),
        ("loss_mask", ids),
        ("rewards", pa.float64()),
        ("step_rewards", numbers),
        ("turn_rewards", numbers),
        ("turn_ids", ids),
    ]


def areal(item: Paid) -> Row:
    before, tokens = len(item.tokens.prompt_ids), item.tokens
    turns = [n for n, (start, end) in enumerate(tokens.steps) for _ in range(start, end)]
    return {
        "input_ids": tokens.prompt_ids + tokens.ids,
        "loss_mask": [0] * before + [1] * len(tokens.ids),
        "rewards": item.outcome,
        "step_rewards": [0.0] * before + tokens.spread(item.paid, "last"),
        "turn_rewards": [reward or 0.0 for reward in item.paid],
        "turn_ids": [-1] * before + turns,
    }


def skyrl_fields() -> Fields:
    import pyarrow as pa

    ids = pa.list_(pa.int64())
    return [
        ("prompt_token_ids", ids),
        ("response_ids", ids),
        ("rewards", pa.list_(pa.float64())),
        ("loss_masks", ids),
        ("stop_reasons", pa.string()),
        (
            "trajectory_ids",
            pa.struct([("instance_id", pa.string()), ("repetition_id", pa.int64())]),
        ),
    ]


def skyrl(item: Paid) -> Row:
    origin = item.trace.origin
    return {
        "prompt_token_ids": item.tokens.prompt_ids,
        "response_ids": item.tokens.ids,
        "rewards": item.tokens.spread(item.paid, "last"),
        "loss_masks": [1] * len(item.tokens.ids),
        "stop_reasons": item.trace.finish or "stop",
        "trajectory_ids": {
            "instance_id": item.trace.problem.id,
            "repetition_id": number(item.trace.id) if origin.sample is None else origin.sample,
        },
    }


def nemo_gym_fields() -> Fields:
    import pyarrow as pa

    text = pa.string()
    names = ("type", "role", "content", "name", "arguments", "call_id", "output")
    output = pa.list_(pa.struct([(name, text) for name in names]))
    return [
        ("responses_create_params", pa.struct([("input", messages_type())])),
        ("response", pa.struct([("output", output)])),
        ("reward", pa.float64()),
        ("step_rewards", pa.list_(pa.float64())),
    ]


def nemo_gym(item: Paid) -> Row:
    """A reward for each turn of the assistant: the sum over its steps."""
    turns: list[float] = []
    output: list[Row] = []
    open_turn = 0.0
    for step, reward in zip(item.trace.steps, item.paid, strict=True):
        open_turn += reward or 0.0
        if step.messages:
            output += _responses(step.messages, step.calls)
            turns, open_turn = [*turns, open_turn], 0.0
    if not item.trace.acts:
        output = [{"type": "message", "role": "assistant", "content": item.trace.text}]
        turns = [open_turn]
    return {
        "responses_create_params": {"input": item.prompt},
        "response": {"output": output},
        "reward": item.outcome,
        "step_rewards": turns,
    }


def _responses(messages: Sequence[Message], calls: Sequence[dict[str, object]]) -> list[Row]:
    """A turn and what answered it, as items of the Responses API."""
    items: list[Row] = []
    if said := content_of(messages[0]):
        items.append({"type": "message", "role": "assistant", "content": said})
    for call in calls:
        items.append(
            {
                "type": "function_call",
                "name": str(call.get("name")),
                "arguments": _as_text(call.get("arguments")),
                "call_id": None if call.get("id") is None else str(call["id"]),
            }
        )
    for answer in messages[1:]:
        if answer.get("role") == "tool":
            call_id = answer.get("tool_call_id")
            output = {"call_id": None if call_id is None else str(call_id)}
            items.append({"type": "function_call_output", "output": content_of(answer), **output})
        else:
            role = str(answer.get("role"))
            items.append({"type": "message", "role": role, "content": content_of(answer)})
    return items


def _as_text(arguments: object) -> str:
    import msgspec

    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def nemo_rl_fields() -> Fields:
    import pyarrow as pa

    text, ids = pa.string(), pa.list_(pa.int64())
    message = [
        *(("role", text), ("content", text), ("token_ids", ids), ("token_loss_mask", ids)),
        ("advantages", pa.list_(pa.float64())),
    ]
    return [
        ("message_log", pa.list_(pa.struct(message))),
        ("total_reward", pa.float64()),
        ("idx", pa.int64()),
    ]


def nemo_rl(item: Paid) -> Row:
    """The prompt in one message, as NeMo-RL has it, and the answer with its credit by token."""
    asked, said = item.tokens.prompt_ids, item.tokens.ids
    prompt = "\n\n".join(content_of(message) for message in item.prompt)
    return {
        "message_log": [
            {
                **{"role": "user", "content": prompt, "token_ids": asked},
                **{"token_loss_mask": [0] * len(asked), "advantages": [0.0] * len(asked)},
            },
            {
                **{"role": "assistant", "content": item.trace.text, "token_ids": said},
                "token_loss_mask": [1] * len(said),
                "advantages": item.tokens.spread(item.earned.advantages, item.spread),
            },
        ],
        "total_reward": item.outcome,
        "idx": number(item.trace.problem.id),
    }


def verifiers(item: Paid) -> Row:
    """A trace of verifiers' (version 1): a node for each message, credit on the sampled tokens.

    Its `logprobs` stay empty: what the sampler thought of its tokens is not known any more.
    """
    trace, tokens = item.trace, item.tokens
    *before, last = item.prompt
    nodes: list[Row] = [{"message": message, "token_ids": [], "mask": []} for message in before]
    prompt = {"token_ids": tokens.prompt_ids, "mask": [False] * len(tokens.prompt_ids)}
    nodes.append({"message": last, **prompt})
    nodes.append(
        {
            "message": assistant(trace.text),
            "sampled": True,
            "token_ids": tokens.ids,
            "mask": [True] * len(tokens.ids),
            "advantages": tokens.spread(item.earned.advantages, item.spread),
        }
    )
    steps = {"rewards": item.earned.rewards, "advantages": item.earned.advantages}
    outcome = item.outcome
    whole = {
        "version": 1,
        "id": trace.id,
        "task": {"type": "Task", "data": {"id": trace.problem.id, "prompt": item.prompt}},
        "agent": {"config": {"model": trace.origin.model}},
        "nodes": [{"parent": n - 1 if n else None, **node} for n, node in enumerate(nodes)],
        "rewards": {} if outcome is None else {"outcome": {"score": outcome, "weight": 1.0}},
        "info": {"prmdata": {**steps, "spans": tokens.steps, "credit": item.earned.source}},
        "is_completed": True,
        "ok": True,
        "stop_condition": trace.finish,
    }
    return {"trace": whole}


def no_fields() -> Fields:
    return []


LAYOUTS: dict[Layout, tuple[Callable[[], Fields], Callable[[Paid], Row]]] = {
    "plain": (plain_fields, plain),
    "trl": (trl_fields, trl),
    "verl": (verl_fields, verl),
    "areal": (areal_fields, areal),
    "skyrl": (skyrl_fields, skyrl),
    "nemo-gym": (nemo_gym_fields, nemo_gym),
    "nemo-rl": (nemo_rl_fields, nemo_rl),
    "verifiers": (no_fields, verifiers),
}
TREES: tuple[Layout, ...] = ("verifiers",)
"""Rows that are one nested record each, written as JSON lines."""
WITHOUT_TOKENS: tuple[Layout, ...] = ("plain", "nemo-gym")
