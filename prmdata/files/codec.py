"""Records ↔ JSON. Decoding validates: whatever gets past it has the right shape."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from prmdata.errors import InputError
from prmdata.files.foreign import advice
from prmdata.records import Problem, Trace

T = TypeVar("T")

_DIGITS = bytes(48 if chr(code).isdigit() and code < 128 else 32 for code in range(256))
_LONG_NUMBER = b"0" * 19
"""What stands for a number of 19 digits once `_DIGITS` has made each of them a 0."""
_traces = msgspec.json.Decoder(Trace)
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line or a row that is not a record, and why."""

    where: str
    reason: str

    def as_trace(self) -> Trace:
        return Trace(id=self.where, problem=Problem(id=self.where, question=""), error=self.reason)


def encode(record: object) -> bytes:
    return _encoder.encode(record)


def decode_trace(line: bytes, where: str) -> Trace:
    try:
        trace = _traces.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: {_reason(error, line)}") from None
    if _LONG_NUMBER in line.translate(_DIGITS):
        check_numbers(trace, where)
    return checked(trace, where)


def checked(trace: Trace, where: str) -> Trace:
    """What types cannot say: an id, a question, evidence as long as the trace."""
    if not trace.id or not trace.problem.id:
        raise InputError(f"{where}: the trace or its problem has an empty id")
    if trace.error is None and not trace.problem.question.strip():
        raise InputError(f"{where}: trace {trace.id}: its problem has no question")
    for evidence in trace.evidence:
        for column in ("values", "hits", "rollouts", "verdicts", "notes", "rewards"):
            length = len(getattr(evidence, column))
            if length not in (0, len(trace.steps)):
                raise InputError(
                    f"{where}: trace {trace.id}: evidence '{evidence.name}' has {length} {column} "
                    f"for {len(trace.steps)} steps"
                )
        for entry in evidence.search:
            of = {len(entry.starts), len(entry.left), len(entry.ends)}
            if len(entry.belief) != len(trace.steps) + 1 or len(of) > 1:
                raise InputError(
                    f"{where}: trace {trace.id}: evidence '{evidence.name}' has a round of its "
                    "search that does not fit the trace"
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


def check_numbers(trace: Trace, where: str) -> None:
    """Refuse what Parquet or JSON could not hold: integers of more than 64 bits, NaN, infinity."""
    for name in ("origin", "group", "evidence", "labels"):
        odd = _odd_number(msgspec.to_builtins(getattr(trace, name)))
        if odd is not None:
            raise InputError(
                f"{where}: trace {trace.id}: {name} holds {odd}, which cannot be stored"
            )


def _odd_number(value: Any) -> str | None:
    """Without recursion: every number of every record from Parquet passes here."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is float:
            if one - one != 0.0:  # not finite
                return f"the value {one}"
        elif kind is int:
            if not -(2**63) <= one < 2**63:
                return f"the integer {one}"
        elif kind is dict:
            waiting.extend(one.values())
        elif kind is list or kind is tuple:
            waiting.extend(one)
    return None


def decode(data: bytes, kind: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: {_reason(error, data)}") from None


def _reason(error: Exception, data: bytes) -> str:
    if data.lstrip().startswith(b"["):
        return (
            "a JSON list, where a record is needed; if it is a list of records, put each on a line "
            "of its own: jq -c '.[]' FILE > RECORDS.jsonl"
        )
    if isinstance(error, msgspec.ValidationError):
        return f"not a prmdata record: {error}; {advice(_columns(data))}"
    return not_json(data, error)


def _columns(data: bytes) -> Collection[str]:
    try:
        row = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return row.keys() if isinstance(row, dict) else ()


def not_json(data: bytes, error: Exception) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as broken:
        return f"not UTF-8 (byte {broken.start} of the line); convert the file with iconv"
    if isinstance(error, RecursionError):
        return "its JSON is nested too deeply"
    return f"not JSON: {error}"
