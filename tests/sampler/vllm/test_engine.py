"""The engine's arguments in the fingerprint: the same files run in another way are another model."""

from __future__ import annotations

import pytest

from prmdata.sampler.vllm.engine import variant


@pytest.mark.parametrize(
    "arguments",
    [
        {"quantization": "fp8"},
        {"kv_cache_dtype": "fp8"},
        {"kv-cache-dtype": "fp8_e5m2"},
        {"hf_overrides": '{"rope_theta": 1}'},
        {"load_format": "dummy"},
        {"speculative_config": "{}"},
        {"an_argument_of_next_year": "1"},
    ],
)
def test_what_changes_answers_is_told_apart(arguments: dict[str, str]) -> None:
    assert variant(arguments).startswith("-")
    assert variant(arguments) != variant({**arguments, "quantization": "awq"})
    placed = {**arguments, "max-model-len": "4096", "gpu_memory_utilization": "0.8"}
    assert variant(placed) == variant(arguments)


def test_where_a_model_runs_is_not() -> None:
    assert variant({}) == variant({"tensor_parallel_size": "8", "dtype": "bfloat16"}) == ""
    assert variant({"kv-cache-dtype": "fp8"}) == variant({"kv_cache_dtype": "fp8"})
