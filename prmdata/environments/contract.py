"""What answers a step that acts: a frozen dataclass of settings that opens an environment.

An environment answers a chat that ends in a turn of the assistant. It has no memory of its own:
what it answers depends on the problem and the chat alone, so that any prefix of any trace can be
gone on from, in any order and in any process. What has a state works it out from the calls so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from prmdata.records import Message, Problem, Step
from prmdata.turns import arguments_of

Tool = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers a turn."""

    messages: tuple[Message, ...] = ()
    """Results of tools, or words of a user; none: the turn was the last."""
    reward: float | None = None
    """How good the whole was, in [0, 1], where the environment itself says so at its end."""
    done: bool = False
    """Whether nothing may follow."""
    state: str | None = None
    """Equal for equal states of a problem, where the environment can tell."""


@runtime_checkable
class Environment(Protocol):
    """An environment at work."""

    identity: str
    """Changes when the same chat could be answered otherwise: its corpus, program, version."""
    speaks: bool
    """Whether it has something to say of turns that call no tool: words of a user, a reward."""
    replays: bool
    """Whether, before a trace is continued, its calls are made again to see that they are still
    answered as they were. Not needed of what cannot but give the same answer."""

    async def tools(self, problem: Problem) -> Sequence[Tool]:
        """What the model is told of its tools, as chat templates take them."""
        ...

    def key(self, problem: Problem, chat: Sequence[Message]) -> object:
        """All that the answer depends on, as JSON: the same key, the same answer."""
        ...

    async def answer(self, problem: Problem, chat: Sequence[Message], seed: int) -> Reply: ...


class Opens(Protocol):
    def opened(self) -> AbstractAsyncContextManager[Environment]:
        """Entered once a run, when it is first asked, and left at its end."""
        ...


def function(
    name: str,
    description: str,
    required: Sequence[str] | None = None,
    **parameters: Mapping[str, object],
) -> Tool:
    """A tool in the form that chat templates take; unless told, every parameter is required."""
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": dict(parameters),
                "required": list(parameters if required is None else required),
            },
        },
    }


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, read."""

    name: str
    arguments: Mapping[str, Any]
    id: str | None = None
    fault: str | None = field(default=None)
    """Why it cannot be carried out."""


def calls_in(turn: Message, tools: Sequence[Tool]) -> list[Call]:
    """The calls of one turn; those that name no tool, or whose arguments are not an object with
    what the tool asks for, have a fault."""
    return [_read(call, tools) for call in Step("", messages=(turn,)).calls]


def _read(call: Mapping[str, object], tools: Sequence[Tool]) -> Call:
    known = {tool["function"]["name"]: tool["function"] for tool in tools}
    name, arguments = str(call.get("name")), arguments_of(call)
    number = call.get("id")
    own = number if isinstance(number, str) else None
    if name not in known:
        fault = f"there is no tool '{name[:80]}'; the tools are: {', '.join(known) or 'none'}"
        return Call(name, {}, own, fault)
    if not isinstance(arguments, Mapping):
        return Call(name, {}, own, "the arguments are not a JSON object")
    required = known[name].get("parameters", {}).get("required", ())
    missing = [parameter for parameter in required if parameter not in arguments]
    lacking = f"arguments are missing: {', '.join(missing)}" if missing else None
    return Call(name, arguments, own, lacking)


def results(answered: Sequence[tuple[Call, str]]) -> tuple[Message, ...]:
    """What tools returned, as messages."""
    return tuple(
        {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": text}
        for call, text in answered
    )


def past_calls(chat: Sequence[Message], tools: Sequence[Tool]) -> list[list[Call]]:
    """The calls of each turn of the assistant that makes any, in order."""
    found = [calls_in(turn, tools) for turn in chat if turn.get("role") == "assistant"]
    return [calls for calls in found if calls]
