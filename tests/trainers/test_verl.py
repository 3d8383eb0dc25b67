"""`rl` in verl's dataset of prompts, and its truth in the grader that `data_source` names.

verl samples and trains on GPUs alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata import reward
from prmdata.records import Trace
from tests.trainers.exports import needs

pytestmark = needs("verl", "omegaconf", "torch")


@pytest.mark.parametrize("task", ["solve", "judge"])
def test_prompts_and_truths(
    task: str, labelled: list[Trace], tokenizer: Any, tmp_path: Path
) -> None:
    from omegaconf import OmegaConf
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
    from verl.utils.reward_score import default_compute_score

    folder = tmp_path / "dataset"
    settings = {"task": task, "unexamined": "keep"}
    counts = prmdata.export(labelled, output=str(folder), to="rl", settings=settings)
    config = OmegaConf.create(
        {
            "cache_dir": str(tmp_path / "cache"),
            "max_prompt_length": 2048,
            "filter_overlong_prompts": True,
            "filter_overlong_prompts_workers": 1,
        }
    )
    files = [str(path) for path in sorted((folder / "data").iterdir())]
    read = RLHFDataset(files, tokenizer, config)
    assert len(read) == counts["rows written"] > 4
    first_errors = {
        trace.id: -1 if trace.labels.first_error is None else trace.labels.first_error
        for trace in labelled
        if trace.labels
    }
    answers = {trace.problem.id: trace.problem.answer for trace in labelled}
    questions = {trace.problem.id: trace.problem.question for trace in labelled}
    rows = [read[i] for i in range(len(read))]
    for row in rows:
        info, truth = row["extra_info"], row["reward_model"]["ground_truth"]
        known = answers[info["problem_id"]] if task == "solve" else first_errors[info["trace_id"]]
        assert truth == str(known)
        (asked,) = row["raw_prompt"]
        assert asked["role"] == "user"
        assert questions[info["problem_id"]].strip() in asked["content"]
        for said, earned in ((f"so \\boxed{{{truth}}}", 1.0), ("so \\boxed{-7}", 0.0)):
            assert default_compute_score(row["data_source"], said, truth, info) == earned
    assert len({row["index"] for row in rows}) == len(rows)
    batch = collate_fn(rows[:4])
    assert [model["ground_truth"] for model in batch["reward_model"]] == [
        row["reward_model"]["ground_truth"] for row in rows[:4]
    ]


def test_the_reward_is_loaded_by_its_file_and_survives_a_hostile_answer() -> None:
    from omegaconf import OmegaConf
    from verl.trainer.ppo.reward import get_custom_reward_fn

    chosen = {"path": reward.__file__, "name": "compute_score"}
    config = OmegaConf.create(
        {"custom_reward_function": chosen, "reward": {"custom_reward_function": chosen}}
    )
    score = get_custom_reward_fn(config)
    texts = ["The answer is 4.", r"so \boxed{\binom{10^9}{5\cdot 10^8}}", r"\boxed{2x}"]
    found = [
        score(data_source="x", solution_str=text, ground_truth=gold, extra_info={})
        for text, gold in zip(texts, ["4", "3", "x*2"], strict=True)
    ]
    assert found == [1.0, 0.0, 1.0]
