"""What the trainers are given: oracle-labelled traces, and the embedded model's tokenizer."""

from __future__ import annotations

from typing import Any

import pytest

from prmdata.records import Trace
from tests.trainers.exports import MODEL, has, with_truth


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small batches: where cores are shared, threads wait for each other longer than they work."""
    if has("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def labelled(traces: list[Trace]) -> list[Trace]:
    """Ten problems, four traces each: right ones, wrong ones, right ones on a wrong step."""
    return [with_truth(trace) for trace in traces[:40]]


@pytest.fixture
def tokenizer() -> Any:
    from transformers import PreTrainedTokenizerFast  # what the model's files name, 4 has not

    return PreTrainedTokenizerFast.from_pretrained(MODEL)


@pytest.fixture
def policy_model() -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(MODEL).to(torch.float32)


@pytest.fixture
def token_classifier() -> Any:
    import torch
    from transformers import AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_pretrained(MODEL, num_labels=2)
    return model.to(torch.float32)


@pytest.fixture
def sequence_classifier() -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(MODEL, num_labels=1)
    return model.to(torch.float32)
