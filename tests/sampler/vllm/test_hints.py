"""What vLLM said, made useful."""

from __future__ import annotations

import pytest

from prmdata.sampler.vllm.hints import cause, hint

PYDANTIC = """1 validation error for ModelConfig
  Value error, User-specified max_model_len (4096) is greater than 1024. [type=value_error, x=1]
    For further information visit https://errors.pydantic.dev/2.14/v/value_error"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(PYDANTIC), "Value error, User-specified max_model_len (4096) is greater than 1024."),
        (RuntimeError("first\n\n  last \n"), "last"),
        (KeyError(), "KeyError"),
    ],
)  # fmt: skip
def test_the_cause_is_the_last_line_that_says_something(error: Exception, said: str) -> None:
    assert cause(error) == said


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("User-specified max_model_len (4096) is greater than 1024", "a smaller max_model_len"),
        ("max_num_batched_tokens (512) is smaller than max_model_len (1024)", "max_model_len=4096"),
        ("ValueError: No available memory for the cache blocks", "gpu_memory_utilization=0.8"),
        ("OSError: [Errno 98] Address already in use", "another --port"),
        (
            "Please pass the argument `trust_remote_code=True`",
            "--engine-arg trust_remote_code=true",
        ),
        ("error: use the `--trust-remote-code` flag", "--engine-arg trust_remote_code=true"),
        ("something nobody has seen", "look elsewhere"),
    ],
)
def test_what_to_try(said: str, advice: str) -> None:
    assert advice in hint(said, "look elsewhere")
