"""A task of the package verifiers (v1): its own tools answer, its own rewards score.

Every answer is worked out in fresh tool servers, in this process: the calls of the chat are made
again in order. What needs a container, a runtime or a judge of its own is refused.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import sys
from collections.abc import Iterator
from typing import Any

from prmdata.turns import arguments_of


def warm_up() -> None:
    """The worker is ready when the package is imported."""
    import verifiers.v1  # noqa: F401


def answer(question: dict[str, object]) -> dict[str, object]:
    return asyncio.run(_answered(question))


@functools.cache
def taskset(name: str) -> Any:
    from verifiers.v1.configs.taskset import TasksetConfig
    from verifiers.v1.utils.generic import concrete_type
    from verifiers.v1.utils.loaders import taskset_class

    if "" not in sys.path:
        sys.path.append("")  # a taskset may be a module beside the caller's files
    kind = taskset_class(name)
    return kind((concrete_type(kind, TasksetConfig) or TasksetConfig)(id=name))


@functools.lru_cache(maxsize=4096)
def task(name: str, number: int) -> Any:
    found = next(itertools.islice(taskset(name), number, None), None)
    if found is None:
        raise ValueError(f"taskset {name} has no task {number}")
    rewards = [*found.hooks("reward"), *found.plugged_judges()]
    hooks = ("setup", "finalize")
    own = [hook for hook in hooks if getattr(type(found), hook).__module__ != "verifiers.v1.task"]
    if own or type(found).NEEDS_CONTAINER or any(map(_needs_runtime, rewards)):
        raise ValueError(f"task {number} of {name} needs a runtime, which this adapter has not")
    return found


async def _answered(question: dict[str, Any]) -> dict[str, object]:
    named, messages = question["problem"]["meta"], question["messages"]
    own = task(named["taskset"], named["task"])
    servers, state = await _servers(own, taskset(named["taskset"]))
    offered = {name: tool for server in servers for name, tool in await _offered(*server)}
    if not messages:
        return {"tools": [tool["told"] for tool in offered.values()]}
    said: list[dict[str, object]] = []
    for turn in (m for m in messages if m["role"] == "assistant"):
        said = [await _called(offered, call) for call in turn.get("tool_calls") or ()]
    if said:
        return {"messages": said}
    trace = _trace(own, messages, state)
    await own.score(trace)
    return {"reward": trace.reward, "done": True}


async def _servers(own: Any, of: Any) -> tuple[list[tuple[object, object]], object]:
    """Toolsets with their servers, all with the same state, which no channel has to carry."""
    from mcp.server.mcpserver import MCPServer

    toolsets = [*type(of).toolsets(of.config), *type(own).toolsets(own.config)]
    kinds = {toolset._state_cls for toolset in toolsets}
    state = max(kinds, key=lambda kind: len(kind.__mro__))() if kinds else None

    async def shared(*_: object) -> object:
        return state

    servers = []
    for toolset in toolsets:
        toolset._pull_state, toolset._push_state = shared, shared
        await toolset.setup()
        await toolset.setup_task(own.data)
        server = MCPServer(toolset.server_name or type(toolset).__name__)
        toolset.register(server)
        servers.append((toolset, server))
    return servers, state


async def _offered(toolset: Any, server: Any) -> list[tuple[str, dict[str, object]]]:
    """Each tool under the name that models see."""
    prefix = f"{toolset.server_name}_" if toolset.server_name else ""
    found = []
    for tool in await server.list_tools():
        told = {
            "name": prefix + tool.name,
            "description": tool.description or "",
            "parameters": tool.input_schema,
        }
        entry = {"server": server, "own": tool.name, "told": {"type": "function", "function": told}}
        found.append((prefix + tool.name, entry))
    return found


async def _called(offered: dict[str, Any], call: dict[str, Any]) -> dict[str, object]:
    function = call["function"]
    message = {"role": "tool", "tool_call_id": call.get("id"), "name": function["name"]}
    try:
        tool = offered[function["name"]]
        result = await tool["server"].call_tool(tool["own"], arguments_of(function))
        content = "\n".join(_texts(result))
    except Exception as error:  # noqa: BLE001  the model is told, as verifiers tells it
        content = f"error: {str(error)[:2000] or type(error).__name__}"
    return {**message, "content": content}


def _texts(result: Any) -> Iterator[str]:
    for block in getattr(result, "content", result):
        yield getattr(block, "text", None) or f"[{getattr(block, 'type', 'content')}]"


def _trace(own: Any, messages: list[dict[str, Any]], state: object) -> Any:
    """The chat as verifiers records one."""
    import verifiers.v1 as vf

    nodes = []
    for place, message in enumerate(messages):
        calls = [
            {"id": c.get("id") or "", **c["function"]} for c in message.get("tool_calls") or ()
        ]
        shown = {
            k: v for k, v in message.items() if k in ("role", "content", "tool_call_id", "name")
        }
        shown |= {"tool_calls": calls} if calls else {}
        sampled = message["role"] == "assistant"
        nodes.append({"parent": place - 1 if place else None, "message": shown, "sampled": sampled})
    asked = vf.TraceTask(type=type(own).__name__, data=own.data, key=own.key, hash=own.hash)
    trace = vf.Trace(
        task=asked,
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        nodes=nodes,
        is_completed=True,
        ok=True,
    )
    if state is not None:
        trace.state = state
    return trace


def _needs_runtime(reward: Any) -> bool:
    asked = inspect.signature(getattr(reward, "score", reward)).parameters.get("runtime")
    return asked is not None and asked.default is inspect.Parameter.empty
