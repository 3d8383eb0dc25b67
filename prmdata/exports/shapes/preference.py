"""A pair in each trainer's own columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from prmdata.exports.contract import Row
from prmdata.exports.shapes import llamafactory
from prmdata.exports.shapes.chat import assistant, message_type, messages_type, plain
from prmdata.exports.shapes.siblings import Branch, Pair
from prmdata.exports.shapes.turns import tools_of, turn, turns_of, turns_type
from prmdata.records import Message

if TYPE_CHECKING:
    import pyarrow as pa

Layout = Literal["trl", "llamafactory", "ms-swift", "nemo-rl", "step-dpo", "tools"]
STEP_DPO = (
    "dataset", "prompt", "initial_reason_steps", "chosen", "rejected", "full_chosen",
    "full_rejected", "answer",
)  # fmt: skip


def fields(layout: Layout) -> list[tuple[str, pa.DataType]]:
    import pyarrow as pa

    text, turn = pa.string(), llamafactory.turn_type()
    ranked = pa.struct([("rank", pa.int64()), ("completion", messages_type())])
    of: dict[str, list[tuple[str, pa.DataType]]] = {
        "trl": [(name, messages_type()) for name in ("prompt", "chosen", "rejected")],
        "llamafactory": [("conversations", pa.list_(turn)), ("chosen", turn), ("rejected", turn)],
        "ms-swift": [("messages", pa.list_(message_type())), ("rejected_response", text)],
        "nemo-rl": [("context", messages_type()), ("completions", pa.list_(ranked))],
        "step-dpo": [(name, text) for name in STEP_DPO],
        "tools": [
            *((name, turns_type()) for name in ("prompt", "chosen", "rejected")),
            ("tools", text),
        ],
    }
    return of[layout]


def trl(pair: Pair, prompt: Sequence[Message]) -> Row:
    return {
        "prompt": list(prompt),
        "chosen": [assistant(whole(pair.chosen))],
        "rejected": [assistant(whole(pair.rejected))],
    }


def llama_factory(pair: Pair, prompt: Sequence[Message]) -> Row:
    return {
        "conversations": [llamafactory.turn(message) for message in prompt],
        "chosen": llamafactory.turn(assistant(whole(pair.chosen))),
        "rejected": llamafactory.turn(assistant(whole(pair.rejected))),
    }


def ms_swift(pair: Pair, prompt: Sequence[Message]) -> Row:
    return {
        "messages": [*prompt, assistant(whole(pair.chosen))],
        "rejected_response": whole(pair.rejected),
    }


def nemo_rl(pair: Pair, prompt: Sequence[Message]) -> Row:
    sides = enumerate((pair.chosen, pair.rejected))
    return {
        "context": list(prompt),
        "completions": [{"rank": n, "completion": [assistant(whole(side))]} for n, side in sides],
    }


def step_dpo(pair: Pair, prompt: Sequence[Message]) -> Row:
    problem = pair.rejected.trace.problem
    return {
        "dataset": str(problem.meta.get("source") or "prmdata"),
        "prompt": plain(prompt),
        "initial_reason_steps": pair.rejected.prefix,
        "chosen": pair.chosen.text,
        "rejected": pair.rejected.text,
        "full_chosen": pair.chosen.trace.text,
        "full_rejected": pair.rejected.trace.text,
        "answer": problem.answer or "",
    }


def with_tools(pair: Pair, prompt: Sequence[Message]) -> Row:
    """The turns before a step belong to the prompt: they have ended, and tools have answered."""
    before = pair.rejected.step or 0
    asked = [*prompt, *turns_of(pair.rejected.trace, 0, before)]
    return {
        "prompt": list(map(turn, asked)),
        "chosen": list(map(turn, _answer(pair.chosen))),
        "rejected": list(map(turn, _answer(pair.rejected))),
        "tools": tools_of(pair.rejected.trace),
    }


def _answer(branch: Branch) -> list[Message]:
    """One turn of the assistant; of a whole trace, all that follows the prompt."""
    if branch.step is None:
        return turns_of(branch.trace)
    return turns_of(branch.trace, branch.step, branch.step + 1)[:1]


LAYOUTS: dict[Layout, Callable[[Pair, Sequence[Message]], Row]] = {
    "trl": trl,
    "llamafactory": llama_factory,
    "ms-swift": ms_swift,
    "nemo-rl": nemo_rl,
    "step-dpo": step_dpo,
    "tools": with_tools,
}


def beside(layout: Layout) -> Mapping[str, str]:
    if layout != "llamafactory":
        return {}
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}
    return llamafactory.dataset_info(columns, ranking=True)


def whole(branch: Branch) -> str:
    return branch.prefix + branch.text
