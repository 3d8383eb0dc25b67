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
from tests.trainers.exports import MODEL, loaded, needs, padded

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


def test_credit_in_its_batch_its_estimator_and_two_steps_of_its_loss(
    labelled: list[Trace], tmp_path: Path
) -> None:
    import torch
    from omegaconf import OmegaConf
    from transformers import AutoModelForCausalLM
    from verl import DataProto
    from verl.trainer.ppo.core_algos import (
        compute_policy_loss_vanilla,
        compute_reinforce_plus_plus_outcome_advantage,
    )
    from verl.workers.config import ActorConfig

    settings = {"tokenizer": MODEL, "unknown": "zero", "layout": "verl"}
    found = loaded(tmp_path, labelled[:8], "credit", settings)
    batch = DataProto.from_dict(
        tensors={
            "prompts": padded([ids[::-1] for ids in found["prompts"][:]], 0).flip(1),
            "responses": padded(found["responses"][:], 0),
            "response_mask": padded([[1] * len(r) for r in found["responses"][:]], 0),
            "rm_scores": padded(found["rm_scores"][:], 0.0),
            "advantages": padded(found["advantages"][:], 0.0),
        },
        non_tensors={"uid": found["uid"][:]},
    )
    mask = batch.batch["response_mask"]
    scores, shares = batch.batch["rm_scores"], batch.batch["advantages"]
    assert torch.allclose(scores.sum(-1), shares.sum(-1), atol=1e-5)
    whitened, returns = compute_reinforce_plus_plus_outcome_advantage(
        scores, mask, config=OmegaConf.create({"gamma": 1.0})
    )
    assert torch.allclose(returns[:, 0], scores.sum(-1), atol=1e-5)
    assert whitened.shape == mask.shape
    model = AutoModelForCausalLM.from_pretrained(MODEL).to(torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1)
    config.global_batch_info.update(
        dp_size=1, batch_num_tokens=None, global_batch_size=None, loss_scale_factor=None
    )
    before = None
    for _ in range(2):
        now = log_probs(model, batch.batch["prompts"], batch.batch["responses"])
        before = now.detach() if before is None else before
        loss, _ = compute_policy_loss_vanilla(
            before, now, shares.float(), mask, "token-mean", config
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    moved = log_probs(model, batch.batch["prompts"], batch.batch["responses"]) - before
    assert ((moved * shares) * mask).sum() > 0  # towards what earned credit


def log_probs(model: Any, prompts: Any, responses: Any) -> Any:
    import torch

    ids = torch.cat([prompts, responses], dim=1)
    logits = model(ids, attention_mask=(ids != 0).long()).logits[:, prompts.shape[1] - 1 : -1]
    return logits.log_softmax(-1).gather(-1, responses.unsqueeze(-1)).squeeze(-1)
