"""Tokens a second of the model on torch, beside vLLM on the same prompts in alternating rounds.

    python tests/bench/bench_local.py [FOLDER] [ROUNDS]

`PRMDATA_VLLM_PYTHON` names an interpreter that has vLLM; without it only ours is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from prmdata.sampler import ABACUS_MODEL
from prmdata.sampler.local import open_local, quiet_threads
from prmdata.sampler.protocol import SEED_SPACING, Sampling

SEQUENCES = 256
MAX_TOKENS = 200
THEIRS = """
import json, os, sys, time
out = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
from vllm import LLM, SamplingParams
model = LLM(model=sys.argv[1], dtype="bfloat16", enforce_eager=True, max_model_len=512,
            enable_chunked_prefill=False, max_num_seqs=256, max_num_batched_tokens=16384,
            enable_prefix_caching=True)
print("ready", file=out, flush=True)
for line in sys.stdin:
    prompts, n, limit = json.loads(line)
    begun = time.perf_counter()
    found = model.generate([{"prompt_token_ids": p} for p in prompts],
        SamplingParams(n=n, temperature=1.0, max_tokens=limit), use_tqdm=False)
    tokens = sum(len(o.token_ids) for r in found for o in r.outputs)
    print(json.dumps([tokens, time.perf_counter() - begun]), file=out, flush=True)
"""


def questions(count: int) -> list[str]:
    from prmdata.problems import abacus

    bos = "<bos>"
    return [
        f"{bos}Question: {problem.question}\n"
        for problem in abacus.read(f"{count}?seed=3", lambda rows: rows)
    ]


class Theirs:
    def __init__(self, python: str, folder: Path) -> None:
        settings = {
            "VLLM_CPU_KVCACHE_SPACE": "2",
            "VLLM_LOGGING_LEVEL": "ERROR",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
        self._process = subprocess.Popen(
            [python, "-c", THEIRS, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **settings},
        )
        if self._read() != "ready":
            raise SystemExit("vLLM does not start")

    def speed(self, prompts: list[list[int]], n: int) -> float:
        assert self._process.stdin is not None
        print(json.dumps([prompts, n, MAX_TOKENS]), file=self._process.stdin, flush=True)
        tokens, seconds = json.loads(self._read())
        return float(tokens / seconds)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


async def main(folder: Path, rounds: int) -> None:
    quiet_threads()
    import torch

    begun = time.perf_counter()
    ours = await open_local(str(folder), {"device": "cpu"}, spec=f"local:{folder}")
    print(f"start after imports {time.perf_counter() - begun:.2f} s; torch {torch.__version__}")
    python = os.environ.get("PRMDATA_VLLM_PYTHON")
    theirs = Theirs(python, folder) if python else None
    sampling = Sampling(max_tokens=MAX_TOKENS)
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for n in (1, 8):
        speeds: list[tuple[float, float]] = []
        for number in range(rounds + 1):
            texts = questions(SEQUENCES // n * (rounds + 1))[number :: rounds + 1]
            begun = time.perf_counter()
            found = await asyncio.gather(
                *(ours.complete(t, n, sampling, i * SEED_SPACING) for i, t in enumerate(texts))
            )
            seconds = time.perf_counter() - begun
            own = sum(c.tokens for call in found for c in call) / seconds
            ids = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
            other = theirs.speed(ids, n) if theirs else float("nan")
            if number:  # the first round warms both
                speeds.append((own, other))
                print(f"n={n} ours {own:,.0f} tokens/s, vLLM {other:,.0f}, ratio {own / other:.2f}")
        ratio = statistics.median(a / b for a, b in speeds)
        print(f"n={n} median {statistics.median(a for a, _ in speeds):,.0f}; ratio {ratio:.2f}")
    if theirs:
        theirs.close()
    await ours.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    asyncio.run(
        main(
            Path(arguments[0]) if arguments else ABACUS_MODEL,
            int(arguments[1]) if len(arguments) > 1 else 3,
        )
    )
