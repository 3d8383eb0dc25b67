"""What a server says of its own state in `/metrics`: vLLM's gauges, and SGLang's."""

from __future__ import annotations

import contextlib
import math
import re
from dataclasses import dataclass

MOST_BYTES, LIMIT_S = 1 << 22, 5.0
EVERY_S = 1.0
NAMES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "cache",
    "vllm:gpu_cache_usage_perc": "cache",
    "vllm:num_preemptions_total": "preempted",
    "vllm:num_preemptions": "preempted",
    "sglang:num_running_reqs": "running",
    "sglang:num_queue_reqs": "waiting",
    "sglang:token_usage": "cache",
    "sglang:num_retracted_reqs": "preempted",
}
LINE = re.compile(
    r"^([a-z_]+:\w+)(?:\{[^\n]*\})? ([0-9.eE+-]+|NaN|[+-]?Inf)(?: \d+)?$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Gauges:
    running: float
    """Sequences that it works on."""
    waiting: float = 0.0
    cache: float = 0.0
    """The share of its key-value cache that is in use."""
    preempted: float = 0.0
    """Sequences that it has pushed out to make room, since it started."""


def read_gauges(text: str) -> Gauges | None:
    """The gauges among the metrics, summed over its engines; nothing where there are none."""
    found: dict[str, list[float]] = {}
    for name, value in LINE.findall(text):
        with contextlib.suppress(ValueError):
            if name in NAMES and math.isfinite(number := float(value)):
                found.setdefault(NAMES[name], []).append(number)
    if "running" not in found or "waiting" not in found:
        return None
    cache = max(found.pop("cache", [0.0]))
    return Gauges(**{name: sum(values) for name, values in found.items()}, cache=cache)
