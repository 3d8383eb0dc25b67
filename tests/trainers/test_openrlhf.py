"""`math-shepherd`, `pairs` and `kto` in OpenRLHF's classes of datasets, as its trainers make them.

The trainers themselves need DeepSpeed and FlashAttention. 0.9.5 is the last with process rewards.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prmdata.exports.math_shepherd import MARK
from prmdata.records import Trace
from tests.trainers.exports import loaded, needs

pytestmark = needs("openrlhf", "torch", "datasets")


def told(**args: Any) -> SimpleNamespace:
    """What these classes know of the command line."""
    return SimpleNamespace(args=SimpleNamespace(**args))


@pytest.mark.parametrize("after_error", ["wrong", "stop"])
def test_every_mark_has_its_label(
    after_error: str, labelled: list[Trace], tokenizer: Any, tmp_path: Path
) -> None:
    from openrlhf.datasets import ProcessRewardDataset

    tokenizer.add_tokens([MARK])  # models for this layout have a token for it
    mark, right, wrong = (tokenizer.convert_tokens_to_ids(name) for name in (MARK, "+", "-"))
    data = loaded(tmp_path, labelled, "math-shepherd", {"after_error": after_error})
    how = told(
        input_key="input", label_key="value", placeholder_token=MARK, reward_tokens=["+", "-"]
    )
    read = ProcessRewardDataset(data, tokenizer, 4096, how)
    assert len(read) == len(data) > 30
    for row, (ids, _, labels) in zip(data, (read[i] for i in range(len(read))), strict=True):
        assert (ids == mark).sum() == len(row["value"])
        assert labels[ids == mark].tolist() == [
            {"+": right, "-": wrong}[value] for value in row["value"]
        ]
        assert (labels[ids != mark] == -100).all()
    ids, masks, labels = read.collate_fn([read[i] for i in range(4)])
    assert ids.shape == masks.shape == labels.shape


@pytest.mark.parametrize("kind", ["step", "outcome"])
def test_pairs_keep_their_sides(
    kind: str, labelled: list[Trace], tokenizer: Any, tmp_path: Path
) -> None:
    from openrlhf.datasets import RewardDataset

    data = loaded(tmp_path, labelled, "pairs", {"kind": kind, "margin": kind == "step"})
    how = told(
        prompt_key="prompt",
        chosen_key="chosen",
        rejected_key="rejected",
        apply_chat_template=True,
    )
    read = RewardDataset(data, tokenizer, 4096, how, num_processors=1)
    assert len(read) == len(data) > 4
    for row, (chosen, _, rejected, _, margin) in zip(
        data, (read[i] for i in range(len(read))), strict=True
    ):
        for side, ids in (("chosen", chosen), ("rejected", rejected)):
            text = tokenizer.decode(ids[0])
            assert row["prompt"][0]["content"] in text
            assert text.endswith(f"{row[side][0]['content']} {tokenizer.eos_token}")
        assert margin == (1.0 if kind == "step" else 0)


def test_single_answers_keep_their_verdict(
    labelled: list[Trace], tokenizer: Any, tmp_path: Path
) -> None:
    from openrlhf.datasets import UnpairedPreferenceDataset

    data = loaded(tmp_path, labelled, "kto")
    how = told(
        input_key="prompt", output_key="completion", label_key="label", apply_chat_template=True
    )
    read = UnpairedPreferenceDataset(data, tokenizer, 4096, how, num_processors=1)
    assert len(read) == len(data) > 4
    for row, (prompt, answer, label, _) in zip(
        data, (read[i] for i in range(len(read))), strict=True
    ):
        assert row["prompt"][0]["content"] in prompt
        assert (answer, label) == (row["completion"][0]["content"], row["label"])
