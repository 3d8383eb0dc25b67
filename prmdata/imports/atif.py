"""ATIF, versions 1.0 to 1.8 (Harbor: schema_version, agent, steps): a trajectory of an agent.

A step is an entry of the agent with its observation; what was copied from an earlier trajectory for
context is left out. The document is kept, so that `export --to atif` writes labels into it. The
reward is read from `verifier_result.rewards`, which stands in the trial's result.json. Trajectories
of subagents stay in the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare
from prmdata.problems.contract import is_nothing
from prmdata.records import Message, Trace, content_of
from prmdata.turns import steps_of

NAME = "atif"


@dataclass(frozen=True, slots=True)
class Atif:
    reward: str = ""
    """Which of several rewards says how good the run was; by default there must be one, or one that
    is named `reward`."""

    @classmethod
    def fits(cls, row: Row) -> bool:
        return str(row.get("schema_version", "")).startswith("ATIF")

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        entries = row.get("steps")
        if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
            raise InputError(f"{where}: its steps are not a list of objects")
        turns = [message for entry in own(entries) for message in messages_of(entry, where)]
        roles = [turn["role"] for turn in turns]
        if "assistant" not in roles or "user" not in roles[: roles.index("assistant")]:
            raise InputError(
                f"{where}: its steps need one by the user, and one by the agent after it"
            )
        first = roles.index("assistant")
        question = next(content_of(turn) for turn in turns[:first] if turn["role"] == "user")
        agent = row.get("agent") if isinstance(row.get("agent"), Mapping) else {}
        assert isinstance(agent, Mapping)
        trace = bare(question, None, steps_of(turns[first:]), NAME)
        document = {name: value for name, value in row.items() if name != "verifier_result"}
        origin = replace(
            trace.origin,
            messages=tuple(turns[:first]),
            tools=tuple(agent.get("tool_definitions") or ()),
            source=document,
        )
        score = reward_of(row.get("verifier_result"), self.reward, where)
        problem = replace(trace.problem, meta={**trace.problem.meta, "agent": agent.get("name")})
        yield replace(
            trace,
            id=str(row.get("trajectory_id") or row.get("session_id") or ""),
            problem=problem,
            origin=origin,
            correct=None if score is None else score >= 1,
            score=score,
        )


def own(entries: list[Any]) -> Iterator[Mapping[str, object]]:
    """The entries that this trajectory itself made."""
    return (entry for entry in entries if not entry.get("is_copied_context"))


def messages_of(entry: Mapping[str, Any], where: str) -> Iterator[Message]:
    roles = {"system": "system", "user": "user", "agent": "assistant"}
    source, text = entry.get("source"), entry.get("message")
    if source not in roles or not isinstance(text, str | list):
        raise InputError(f"{where}: step {entry.get('step_id')} has no source or no message")
    message: Message = {"role": roles[source], "content": text}
    if not is_nothing(entry.get("reasoning_content")):
        message["reasoning_content"] = entry["reasoning_content"]
    calls = entry.get("tool_calls") or []
    if calls:
        message["tool_calls"] = [
            {
                "id": call.get("tool_call_id"),
                "type": "function",
                "function": {
                    "name": call.get("function_name"),
                    "arguments": call.get("arguments"),
                },
            }
            for call in calls
        ]
    yield message
    observation = entry.get("observation") or {}
    for result in observation.get("results") or []:
        content = "" if result.get("content") is None else result["content"]
        answered = result.get("source_call_id")
        if answered is None:  # what the terminal shows, and the like
            yield {"role": "user", "content": content}
        else:
            yield {"role": "tool", "tool_call_id": answered, "content": content}


def reward_of(result: object, name: str, where: str) -> float | None:
    """Between 0 and 1, or nothing."""
    rewards = result.get("rewards") if isinstance(result, Mapping) else None
    if not isinstance(rewards, Mapping) or not rewards:
        return None
    chosen = name or ("reward" if "reward" in rewards else "")
    if not chosen and len(rewards) > 1:
        names = ", ".join(map(str, rewards))
        raise InputError(f"{where}: which reward counts ({names})? Name it with --set reward=NAME")
    value = rewards.get(chosen) if chosen else next(iter(rewards.values()))
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return min(max(float(value), 0.0), 1.0)
