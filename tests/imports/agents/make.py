"""Makes the files beside it with the real packages: harbor 0.26.0 and verifiers 0.4.0.

python tests/imports/agents/make.py FOLDER, in an environment that has both (Python 3.12); with
files as further arguments, see that the packages read them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from harbor.models.trajectories.agent import Agent
from harbor.models.trajectories.metrics import Metrics
from harbor.models.trajectories.observation import Observation
from harbor.models.trajectories.observation_result import ObservationResult
from harbor.models.trajectories.step import Step
from harbor.models.trajectories.tool_call import ToolCall
from harbor.models.trajectories.trajectory import Trajectory
from verifiers.v1.configs.agent import WireAgentConfig
from verifiers.v1.episode import Episode
from verifiers.v1.graph import MessageNode
from verifiers.v1.task import WireTaskData
from verifiers.v1.trace import AgentInfo, Reward, TraceTask, WireTrace
from verifiers.v1.types import (
    AssistantMessage,
    SystemMessage,
    Tool,
    ToolMessage,
    UserMessage,
)
from verifiers.v1.types import ToolCall as Call


def trajectories() -> list[Trajectory]:
    steps = [
        Step(step_id=1, source="system", message="You are an agent."),
        Step(step_id=2, source="user", message="Make the tests pass."),
        Step(
            step_id=3,
            source="agent",
            message="I look.",
            reasoning_content="Where is it?",
            model_name="m-1",
            tool_calls=[
                ToolCall(
                    tool_call_id="c1", function_name="bash", arguments={"command": "ls", "n": 5}
                ),
                ToolCall(tool_call_id="c2", function_name="bash", arguments={"command": "pwd"}),
            ],
            observation=Observation(
                results=[
                    ObservationResult(source_call_id="c1", content="a.py"),
                    ObservationResult(source_call_id="c2", content=None),
                ]
            ),
            metrics=Metrics(prompt_tokens=10, completion_tokens=4, cost_usd=0.001),
        ),
        Step(step_id=4, source="agent", message="An old turn.", is_copied_context=True),
        Step(
            step_id=5,
            source="agent",
            message="I write.",
            tool_calls=[
                ToolCall(tool_call_id="c3", function_name="edit", arguments={"path": "a.py"})
            ],
            observation=Observation(results=[ObservationResult(content="written")]),
            extra={"mine": 1},
        ),
        Step(step_id=6, source="agent", message="Done."),
    ]
    agent = Agent(
        name="terminus-2",
        version="1",
        model_name="m-1",
        tool_definitions=[{"type": "function", "function": {"name": "bash"}}],
    )
    old = [
        Step(step_id=1, source="user", message="Q?"),
        Step(step_id=2, source="agent", message="A."),
    ]
    return [
        Trajectory(session_id="s1", trajectory_id="t1", agent=agent, steps=steps, notes="n"),
        Trajectory(
            schema_version="ATIF-v1.0",
            session_id="old",
            agent=Agent(name="a", version="1"),
            steps=old,
        ),
    ]


def episode() -> Episode:
    call = Call(id="k1", name="calc", arguments='{"e": "6*7"}')
    asks = AssistantMessage(content="I ask.", reasoning_content="Hm.", tool_calls=[call])
    nodes = [
        node(None, SystemMessage(content="Be brief."), [1, 2]),
        node(0, UserMessage(content="6 * 7?"), [3, 4, 5]),
        node(1, asks, [6, 7, 8, 9], [-0.1, -0.2, -0.3]),
        node(2, ToolMessage(tool_call_id="k1", content="42", name="calc"), [10, 11]),
        node(3, AssistantMessage(content="The answer is 42."), [12, 13, 14], [-0.5, -0.6]),
        node(3, AssistantMessage(content="The answer is 41."), [12, 15], [-1.5]),
    ]
    trace = WireTrace(
        id="v1",
        task=TraceTask(type="Sum", data=WireTaskData(idx=0, answer="42")),
        agent=AgentInfo(config=WireAgentConfig()),
        tools=[Tool(name="calc", description="d", parameters={"type": "object"})],
        nodes=nodes,
        rewards={"right": Reward(score=1.0)},
        info={"k": 1},
    )
    return Episode(id="e1", task=trace.task, ok=True, traces=[trace])


def node(parent, message, tokens, logprobs=()) -> MessageNode:
    mask = [i >= len(tokens) - len(logprobs) for i in range(len(tokens))]
    return MessageNode(
        parent=parent,
        message=message,
        sampled=bool(logprobs),
        timestamp=0,
        token_ids=tokens,
        mask=mask,
        logprobs=list(logprobs),
    )


def main(folder: str, *files: str) -> None:
    documents = [trajectory.to_json_dict() for trajectory in trajectories()]
    written = {"atif.jsonl": documents, "verifiers.jsonl": [episode().model_dump(mode="json")]}
    for name, rows in written.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        Path(folder, name).write_text(text, encoding="utf-8")
    for file in files:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            read = WireTrace if "nodes" in row else Trajectory
            print(file, "is read:", type(read.model_validate(row)).__name__)


main(*sys.argv[1:])
