"""Why vLLM did not start, in a line, and what to try."""

from __future__ import annotations

import re

LESS = "--engine-arg gpu_memory_utilization=0.8 or max_model_len=4096"
MEMORY = f"; with too little memory try {LESS}"
HINTS = (
    ("address already in use", "name another --port, or leave it out"),
    ("unrecognized arguments", "mend the names given with --engine-arg"),
    (
        "out of memory|no available memory|kv cache|cannot allocate|free memory on device",
        f"try {LESS}; on a CPU, VLLM_CPU_KVCACHE_SPACE=1 in the environment",
    ),
    (r"max_model_len \(.*greater than", "try --engine-arg with a smaller max_model_len"),
    ("max_model_len|max_num_batched_tokens", "try --engine-arg max_model_len=4096"),
    ("no module named|cannot import|undefined symbol", "install vLLM anew in an environment"),
    (
        "trust[_-]remote[_-]code",
        "if you trust the model's code: --engine-arg trust_remote_code=true",
    ),
)
EMPTY = re.compile(r"For further information|\d+ validation error")


def cause(error: Exception) -> str:
    """The last line that says something, without what pydantic adds to it."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [re.sub(r"\s*\[type=.*", "", line) for line in lines if line and not EMPTY.match(line)]
    return said[-1] if said else type(error).__name__


def hint(said: str, otherwise: str) -> str:
    return next(
        (advice for pattern, advice in HINTS if re.search(pattern, said, re.IGNORECASE)), otherwise
    )
