"""A user's oracle: a real program and a real function, well behaved and not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import ItemError, PrmdataError, UsageError
from prmdata.files import write_traces
from prmdata.records import Step, Trace
from prmdata.registry import make
from prmdata.stages.verify import verified
from prmdata.verifiers import VERIFIERS, ready
from tests.verifiers.boxed import checked, trace_of

PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    if "die" in asked["steps"]:
        print("no such thing", file=sys.stderr)
        sys.exit(3)
    if "hang" in asked["steps"]:
        time.sleep(600)
    if "noise" in asked["steps"]:
        print("what?", flush=True)
        continue
    if "child" in asked["steps"]:
        if os.fork() == 0:
            time.sleep(600)
    said = [{"up": "right", "down": "wrong", "short": None}.get(s, "unknown") for s in asked["steps"]]
    said = [v for v in said if v]
    notes = [f"{asked['context'].get('n')} {os.getpid()} {os.getpgrp()}"] * len(said)
    print(json.dumps({"verdicts": said, "notes": notes}), flush=True)
"""
FUNCTION = """
import os
def judge(asked):
    if "die" in asked["steps"]:
        os._exit(1)
    if "raise" in asked["steps"]:
        raise ValueError("no such step")
    return {"verdicts": ["right" if s == "up" else "wrong" for s in asked["steps"]]}
"""


def command() -> str:
    Path("my_oracle.py").write_text(PROGRAM)
    return f"{shlex.quote(sys.executable)} my_oracle.py"


def tried(settings: dict[str, object], *traces: Trace) -> list[Trace | str]:
    """Each trace's verified self, or why it failed; one run."""

    async def work() -> list[Trace | str]:
        made: list[Trace | str] = []
        async with ready(make(VERIFIERS, "oracle", settings)) as at_work:
            for trace in traces:
                try:
                    made.append(await verified(trace, {"oracle": at_work}))
                except ItemError as error:
                    made.append(str(error))
        return made

    return asyncio.run(work())


def test_a_program_and_a_function_give_verdicts() -> None:
    trace = trace_of("up", "down", context={"n": 7})
    (by_program,) = checked("oracle", trace, command=command())
    assert by_program.verdicts == ("right", "wrong")
    assert by_program.notes[0] is not None
    assert by_program.notes[0].startswith("7 ")
    Path("mine_to_ask.py").write_text(FUNCTION)
    (by_function,) = checked("oracle", trace, callable="mine_to_ask:judge")
    assert by_function.verdicts == ("right", "wrong")
    assert by_function.notes == ()


def test_a_program_that_fails_costs_one_trace_and_is_started_again() -> None:
    settings = {"command": command(), "timeout_s": 1.0, "start_s": 9.0}
    bad = ["die", "hang", "noise", "short"]
    traces = [trace_of(word) for name in bad for word in ("up", name)]
    made = tried(settings, *traces, trace_of("down"))
    assert all(isinstance(trace, Trace) for trace in made[::2])
    assert made[1::2] == [
        "the oracle ended (status 3): no such thing (trace p/0)",
        "the oracle took longer than 1 s (trace p/0)",
        "the oracle answered b'what?\\n', which is not JSON (trace p/0)",
        "the oracle gave 0 verdicts and 0 notes for 1 steps (trace p/0)",
    ]


def test_one_bad_answer_is_no_other_traces_trouble() -> None:
    """Asked all at once, as a run asks."""
    words = ["up", "noise", "down", "short", "up", "die"] * 3

    async def work() -> list[Trace | BaseException]:
        async with ready(make(VERIFIERS, "oracle", {"command": command()})) as at_work:
            asked = (verified(trace_of(word), {"oracle": at_work}) for word in words)
            return await asyncio.gather(*asked, return_exceptions=True)

    for word, made in zip(words, asyncio.run(work()), strict=True):
        assert isinstance(made, Trace if word in ("up", "down") else ItemError), (word, made)


def test_the_whole_group_is_gone_at_the_end() -> None:
    (made,) = tried({"command": command()}, trace_of("child"))
    assert isinstance(made, Trace)
    note = made.evidence[-1].notes[0]
    assert note is not None
    group = int(note.split()[2])
    assert group != os.getpgrp()
    while alive(group):  # the child is nobody's now: init reaps it in its own time
        time.sleep(0.01)


def alive(group: int) -> bool:
    """Whether a process of the group still runs; the dead may wait to be reaped."""
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            states += [fields[0]] if fields[2] == str(group) else []
    return any(state not in "ZX" for state in states)


def test_a_function_that_fails_costs_one_trace() -> None:
    Path("mine_to_fail.py").write_text(FUNCTION)
    steps = ("die", "up", "raise", "up")
    made = tried({"callable": "mine_to_fail:judge"}, *map(trace_of, steps))
    assert made[::2] == [
        "the oracle crashed (trace p/0)",
        "the oracle raised ValueError: no such step (trace p/0)",
    ]
    assert all(isinstance(trace, Trace) for trace in made[1::2])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "--set command="),
        ({"command": "a", "callable": "b:c"}, "--set command="),
        ({"command": "no-such-program-anywhere"}, "cannot start no-such-program-anywhere"),
        ({"command": "'"}, "No closing quotation"),
        ({"callable": "no_such_module:judge"}, "cannot load no_such_module:judge"),
    ],
)
def test_what_cannot_be_asked_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(PrmdataError, match=said) as caught:
        tried(settings, trace_of("up"))
    assert isinstance(caught.value, UsageError)


def test_a_failed_trace_is_recorded_by_the_command_and_the_others_go_on() -> None:
    write_traces("t.jsonl", [trace_of("up"), replace(trace_of("die"), id="p/1")])
    words = ["verify", "t.jsonl", "-o", "v.jsonl", "--with", "oracle", "--max-errors", "5"]
    given = ["--set", f"command={command()}"]
    done = subprocess.run(
        [sys.executable, "-m", "prmdata", *words, *given], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert '"verdicts":["right"]' in Path("v.jsonl").read_text()
    assert "the oracle ended (status 3): no such thing" in Path("v.jsonl").read_text()


def test_it_sees_which_steps_act_and_what_came_back() -> None:
    """The oracle of an acting trace judges the call and its result, not the text around them."""
    Path("acting.py").write_text(
        "def judge(question):\n"
        "    told = zip(question['kinds'], question['tools'], question['results'], strict=True)\n"
        "    right = {True: 'right', False: 'wrong', None: 'unknown'}\n"
        "    return {'verdicts': [right[t and t['query'] == r] for k, t, r in told],\n"
        "            'notes': question['kinds']}\n"
    )
    acting = trace_of(
        "I look it up.",
        Step("search", kind="tool_call", tool={"query": "a"}, result="a"),
        Step("search", kind="tool_call", tool={"query": "a"}, result="b"),
        Step("b", kind="observation"),
    )
    (evidence,) = checked("oracle", acting, callable="acting:judge")
    assert evidence.verdicts == ("unknown", "right", "wrong", "unknown")
    assert evidence.notes == ("thought", "tool_call", "tool_call", "observation")
