"""Chat messages as rows hold them, and the columns that say where a row comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from prmdata.credit.contract import pass_rate
from prmdata.exports.contract import Row
from prmdata.records import Message, Trace

if TYPE_CHECKING:
    import pyarrow as pa

Prompt = Literal["question", "sampled"]
"""`sampled`: with the system message, examples and instruction that the trace was sampled with."""


def system(content: str) -> Message:
    return {"role": "system", "content": content}


def user(content: str) -> Message:
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}


def prompt_messages(trace: Trace, prompt: Prompt) -> list[Message]:
    """What the answer is an answer to. Of a trace from elsewhere only the question is known."""
    sampled = trace.origin.messages if prompt == "sampled" else ()
    return list(sampled) or [user(trace.problem.question.strip())]


def plain(messages: Sequence[Message]) -> str:
    """For columns of bare text."""
    return "\n\n".join(message["content"].strip() for message in messages)


def message_type() -> pa.DataType:
    import pyarrow as pa

    return pa.struct([("role", pa.string()), ("content", pa.string())])


def messages_type() -> pa.DataType:
    import pyarrow as pa

    return pa.list_(message_type())


def origin_fields() -> list[tuple[str, pa.DataType]]:
    import pyarrow as pa

    return [(name, pa.string()) for name in ("labelled_by", "problem_id", "trace_id")]


def origin(trace: Trace) -> Row:
    by = "" if trace.labels is None else trace.labels.by
    return {"labelled_by": by, "problem_id": trace.problem.id, "trace_id": trace.id}


def pass_rate_fields(asked: bool) -> list[tuple[str, pa.DataType]]:
    import pyarrow as pa

    return [("pass_rate", pa.float64())] if asked else []


def pass_rate_of(trace: Trace, asked: bool) -> Row:
    """The share of the problem's graded traces that were right, as a column where it is asked."""
    return {"pass_rate": pass_rate(trace.group)} if asked else {}
