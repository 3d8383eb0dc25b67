"""How much of vLLM labelling uses: its tokens a second beside raw vLLM on the same continuations.

    [MODEL=Qwen/Qwen3-8B] python -m tests.bench.bench_engine [PROBLEMS] [PAIRS]

In an environment with vLLM, on a GPU or without. Each pair runs `label`, then hands every call it
made to vLLM's offline engine at once, seeds included; the ratio of the two is what machines agree
on. Both engines are there at the same time, so each takes two fifths of a GPU's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prmdata.labellers import method
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler import Completion, Sampler, Sampling, open_sampler
from prmdata.sampler.models.folders import model_folder
from prmdata.sampler.protocol import Scored
from prmdata.serving import Plan, Server
from prmdata.stages.generate import Generating, run_generate
from prmdata.stages.label import Labelling, run_labelling
from prmdata.traces.generate import Generation
from tests.bench.engine_loop import Reuse, one_by_one

METHODS = ("posterior", "bisect")
Call = tuple[str, int, int, int, float]
"""A prefix, n, the seed, max_tokens and the temperature."""
MODEL = os.environ.get("MODEL", "abacus")
FOLDER = model_folder(MODEL, MODEL)
RAW = """
import json, os, sys, time
out = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
from vllm import LLM, SamplingParams
if __name__ == "__main__":
    model = LLM(sys.argv[1], **json.loads(sys.argv[2]))
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        calls = json.loads(line)
        model.reset_prefix_cache()
        begun = time.perf_counter()
        found = model.generate(
            [{"prompt_token_ids": ids} for ids, *_ in calls],
            [SamplingParams(n=n, seed=seed, max_tokens=most, temperature=t) for _, n, seed, most, t
             in calls], use_tqdm=False)
        tokens = sum(len(o.token_ids) for r in found for o in r.outputs)
        print(json.dumps([tokens, time.perf_counter() - begun]), file=out, flush=True)
"""


def engine() -> dict[str, Any]:
    """vLLM's arguments, for all three ways to run it."""
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        of_device = {"enable_chunked_prefill": False, "enforce_eager": True, "dtype": "bfloat16"}
    else:
        of_device = {"gpu_memory_utilization": 0.4}
    longest = json.loads((FOLDER / "config.json").read_text())["max_position_embeddings"]
    return {
        "max_model_len": min(longest, 4096),
        "max_num_seqs": 256,
        "max_num_batched_tokens": 8192,
        "enable_prefix_caching": True,
        **of_device,
    }


@dataclass
class Recorder:
    """The sampler, with every call that is made of it."""

    inner: Sampler
    calls: list[Call] = field(default_factory=list)
    tokens: int = 0

    def __post_init__(self) -> None:
        for name in ("spec", "fingerprint", "template", "context"):
            setattr(self, name, getattr(self.inner, name))

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        done = await self.inner.complete(prefix, n, sampling, seed)
        self.calls.append((prefix, n, seed, sampling.max_tokens, sampling.temperature))
        self.tokens += sum(completion.tokens for completion in done)
        return done

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        return await self.inner.score(prefix, text, top)

    async def close(self) -> None:
        pass  # it goes on to the next pair


class Raw:
    """vLLM's offline engine in a process of its own."""

    def __init__(self, context: int) -> None:
        from tokenizers import Tokenizer

        self._context = context
        self._tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
        with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as script:
            script.write(RAW)
        self._process = subprocess.Popen(
            [sys.executable, script.name, str(FOLDER), json.dumps(engine())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._read() != "ready":
            raise SystemExit("raw vLLM does not start")

    def lengths(self, calls: list[Call]) -> list[int]:
        return [len(ids) for ids in self._encoded(calls)]

    def run(self, calls: list[Call]) -> tuple[int, float]:
        # Their context is ours: what would not fit is cut as our sampler cuts it.
        fitted = [
            (ids, n, seed, min(most, self._context - len(ids)), t)
            for ids, (_, n, seed, most, t) in zip(self._encoded(calls), calls, strict=True)
        ]
        assert self._process.stdin is not None
        print(json.dumps(fitted), file=self._process.stdin, flush=True)
        tokens, seconds = json.loads(self._read())
        return tokens, seconds

    def _encoded(self, calls: list[Call]) -> list[list[int]]:
        texts = self._tokenizer.encode_batch([call[0] for call in calls], add_special_tokens=False)
        return [text.ids for text in texts]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Gauge(threading.Thread):
    """The mean of the engine's own count of running sequences, twice a second."""

    def __init__(self, read: Callable[[], float]) -> None:
        super().__init__(daemon=True)
        self._read, self._over, self._seen = read, threading.Event(), [0.0]

    def run(self) -> None:
        while not self._over.wait(0.5):
            self._seen.append(self._read())

    def mean(self) -> float:
        self._over.set()
        self.join()
        return statistics.fmean(self._seen)


def running_here() -> float:
    from vllm.v1.metrics.reader import get_metrics_snapshot

    found = (m for m in get_metrics_snapshot() if m.name == "vllm:num_requests_running")
    return sum(metric.value for metric in found)


def running_at(url: str) -> float:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith("vllm:num_requests_run"))


@contextlib.contextmanager
def handing_out(sampler: Recorder) -> Iterator[None]:
    """Stages open this one: an engine that runs already, so that its start is not measured."""

    async def opened(spec: str, options: object) -> Recorder:
        return sampler

    with patch("prmdata.run.stage.open_sampler", opened):
        yield


async def sampled(sampler: Sampler, problems: int) -> list[Trace]:
    output, options = ListOutput(), RunOptions(store=None, quiet=True)
    with handing_out(Recorder(sampler)):
        how = Generation(samples=4, max_tokens=400 if MODEL == "abacus" else 2048)
        request = Generating(f"abacus:{problems}?seed=11", generation=how)
        await run_generate(request, output, options)
    return output.traces


async def labelled(sampler: Recorder, traces: list[Trace], name: str) -> float:
    """Seconds that `label` takes."""
    asked = Labelling("label", name, method(name, "label", {}))
    begun = time.perf_counter()
    with handing_out(sampler):
        options = RunOptions(store=None, quiet=True)
        await run_labelling(asked, ListOutput(), options, traces)
    return time.perf_counter() - begun


async def pairs(
    where: str,
    sampler: Sampler,
    traces: list[Trace],
    raw: Raw,
    count: int,
    running: Callable[[], float],
    reset: Callable[[], object],
) -> None:
    for name in METHODS:
        ratios = []
        for _ in range(count):
            await asyncio.to_thread(reset)
            recorder, gauge, reuse = Recorder(sampler), Gauge(running), Reuse()
            gauge.start()
            seconds = await labelled(recorder, traces, name)
            busy, ours = gauge.mean(), recorder.tokens / seconds
            tokens, took = await asyncio.to_thread(raw.run, recorder.calls)
            ratios.append(ours / (tokens / took))
            print(
                f"{where:<10} {name:<9} {len(traces):,} traces  {recorder.tokens:,} tokens  "
                f"label {ours:,.0f}/s  raw {tokens / took:,.0f}/s ({tokens:,})  "
                f"ratio {ratios[-1]:.2f}  {busy:.0f} sequences running",
                flush=True,
            )
        print(f"{where:<10} {name:<9} median ratio {statistics.median(ratios):.2f}", flush=True)
        if where == "in process":
            told = reuse.told(recorder.calls, raw.lengths(recorder.calls))
            print(f"{where:<10} {name:<9} {told}", flush=True)


async def main(problems: int, count: int) -> None:
    arguments = {name: str(value) for name, value in engine().items()}
    sampler = await open_sampler(f"vllm:{MODEL}", arguments)
    raw = Raw(sampler.context)
    traces = await sampled(sampler, problems)
    loop = asyncio.get_running_loop()
    clear = sampler._engine.reset_prefix_cache  # type: ignore[attr-defined]

    def reset() -> None:
        asyncio.run_coroutine_threadsafe(clear(), loop).result()

    await pairs("in process", sampler, traces, raw, count, running_here, reset)
    await one_by_one(lambda: Recorder(sampler), handing_out, raw, traces, reset)
    await sampler.close()
    server = Server.start(Plan.of(MODEL, None, arguments))
    try:
        await asyncio.to_thread(server.wait_ready, lambda seconds, line: None)
        url = server.plan.url
        served = await open_sampler(url)
        await sampled(served, 8)  # its first steps are slow; in process they were made above

        def reset_served() -> None:
            urllib.request.urlopen(url.removesuffix("/v1") + "/reset_prefix_cache", data=b"")

        await pairs("serve", served, traces, raw, count, lambda: running_at(url), reset_served)
        await served.close()
    finally:
        server.stop()
        raw.close()


if __name__ == "__main__":
    os.environ |= {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_LOGGING_LEVEL": "ERROR"}
    os.environ["VLLM_SERVER_DEV_MODE"] = "1"  # so that its cache can be cleared
    Path(".prmdata").mkdir(exist_ok=True)
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*numbers, *(130, 3)[len(numbers) :]))
