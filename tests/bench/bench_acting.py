"""Agents: how fast the search environment starts and answers, and how fast their traces come in."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prmdata.environments import environment
from prmdata.records import Problem

PASSAGES, WORDS, QUERIES, TOGETHER = 100_000, 100, 2_000, 64
TRACES = 4_000


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place, "corpus.jsonl")
        with corpus.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in passages(PASSAGES))
        start, rate, per_core = asyncio.run(searched(f"search:{corpus}"))
    print(
        f"search    {PASSAGES:,} passages of {WORDS} words: ready in {start:.1f} s, "
        f"{rate:,.0f} queries a second ({TOGETHER} at a time; {per_core:,.0f} in one core's second)"
    )
    print(f"import    {imported():,.0f} acting traces a second of one core ({TRACES:,} traces)")


def passages(count: int) -> Iterator[dict[str, str]]:
    """Words as often as in a language: a few everywhere, most of them rarely."""
    chance = random.Random(0)
    for number in range(count):
        words = (word(chance) for _ in range(WORDS))
        yield {"id": str(number), "title": word(chance), "text": " ".join(words)}


def word(chance: random.Random) -> str:
    return f"w{int(chance.paretovariate(0.6)) % 200_000}"


async def searched(spec: str) -> tuple[float, float, float]:
    """Seconds until it answers; queries through the environment in a second, by the clock and by
    the processor's time, calls and all."""
    chance, problem = random.Random(1), Problem("p", "q")
    started = time.perf_counter()
    async with environment(spec, {}).opened() as opened:
        await opened.answer(problem, (asked(chance),), 0)
        ready, spent = time.perf_counter(), time.process_time()
        for _ in range(QUERIES // TOGETHER):
            turns = [(asked(chance),) for _ in range(TOGETHER)]
            await asyncio.gather(*(opened.answer(problem, turn, 0) for turn in turns))
        seconds, spent = time.perf_counter() - ready, time.process_time() - spent
    done = QUERIES // TOGETHER * TOGETHER
    return ready - started, done / seconds, done / spent


def asked(chance: random.Random) -> dict[str, Any]:
    """A turn with a query of six words, one of which is in many passages."""
    query = " ".join([*(word(chance) for _ in range(5)), "w3"])
    call = {"name": "search", "arguments": json.dumps({"query": query})}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": call}],
    }


def imported() -> float:
    """Of `prmdata import`, without its start: a long file beside a short one."""
    with tempfile.TemporaryDirectory() as place:
        seconds = {}
        for count in (10, TRACES):
            path = Path(place, f"{count}.jsonl")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(chat(number)) + "\n" for number in range(count))
            line = [sys.executable, "-m", "prmdata", "import", str(path), "-q"]
            before = cpu()
            subprocess.run([*line, "-o", f"{path}.out.jsonl"], check=True)
            seconds[count] = cpu() - before
    return (TRACES - 10) / (seconds[TRACES] - seconds[10])


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def chat(number: int) -> dict[str, Any]:
    """A row as AgentProcessBench has it: three searches of three passages each, and an answer."""
    chance = random.Random(number)
    turns: list[dict[str, Any]] = [{"role": "user", "content": f"Question {number}?"}]
    for call in range(3):
        asked_for = json.dumps({"query": f"about {number} {call}"})
        function = {"name": "search", "arguments": asked_for}
        turns += [
            {"role": "assistant", "content": "I look it up. " * 6,
             "tool_calls": [{"id": f"c{call}", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": f"c{call}",
             "content": " ".join(word(chance) for _ in range(3 * WORDS))},
        ]  # fmt: skip
    turns.append({"role": "assistant", "content": f"<answer>{number}</answer>"})
    return {
        "query_index": number // 5, "sample_index": number % 5, "question": f"Question {number}?",
        "messages": turns, "ground_truth": str(number), "answer_text": str(number),
        "step_labels": {"1": 1, "3": 0, "5": -1, "7": 1}, "final_label": 1,
    }  # fmt: skip
