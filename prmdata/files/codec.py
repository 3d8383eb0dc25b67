"""Records ↔ JSON. Decoding validates: whatever gets past it has the right shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from prmdata.errors import InputError
from prmdata.records import Problem, Trace

T = TypeVar("T")

_traces = msgspec.json.Decoder(Trace)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line or a row that is no record, and why."""

    where: str
    reason: str

    def as_trace(self) -> Trace:
        return Trace(id=self.where, problem=Problem(id=self.where, question=""), error=self.reason)


def encode(record: object) -> bytes:
    return _encoder.encode(record)


def decode_trace(line: bytes, where: str) -> Trace:
    try:
        trace = _traces.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: {_reason(error, line)}") from None
    return checked(trace, where)


def checked(trace: Trace, where: str) -> Trace:
    """What types cannot say: an id, a question, evidence as long as the trace."""
    if not trace.id or not trace.problem.id:
        raise InputError(f"{where}: the trace or its problem has an empty id")
    if trace.error is None and not trace.problem.question.strip():
        raise InputError(f"{where}: trace {trace.id}: its problem has no question")
    for evidence in trace.evidence:
        for column in ("values", "hits", "rollouts", "verdicts", "notes"):
            length = len(getattr(evidence, column))
            if length not in (0, len(trace.steps)):
                raise InputError(
                    f"{where}: trace {trace.id}: evidence '{evidence.name}' has {length} {column} "
                    f"for {len(trace.steps)} steps"
                )
    labels = trace.labels
    first = labels.first_error if labels else None
    if first is not None and (type(first) is float or first not in range(len(trace.steps))):
        raise InputError(
            f"{where}: trace {trace.id}: first_error {first} is not one of its "
            f"{len(trace.steps)} steps (they count from 0)"
        )
    if labels and len(labels.values) not in (0, len(trace.steps)):
        raise InputError(
            f"{where}: trace {trace.id}: {len(labels.values)} label values for "
            f"{len(trace.steps)} steps"
        )
    return trace


def decode(data: bytes, kind: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: {_reason(error, data)}") from None


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, msgspec.ValidationError):
        return (
            f"not a prmdata record: {error}; to read problems from other data use "
            "`prmdata generate FILE --fields question=COLUMN`"
        )
    return not_json(data, error)


def not_json(data: bytes, error: Exception) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as broken:
        return f"not UTF-8 (byte {broken.start} of the line); convert the file with iconv"
    return f"not JSON: {error}"
