"""`credit` in the trainers' own hands: TRL's GRPO loss, verifiers' traces; verl's in `test_verl`.

Each is asked for what its training loop would do with a batch, without sampling one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.records import Trace
from tests.trainers.exports import MODEL, has, loaded, needs, padded, two_steps

SETTINGS = {"tokenizer": MODEL, "unknown": "zero"}


def rows(where: Path, traces: list[Trace], layout: str) -> Any:
    return loaded(where, traces, "credit", {**SETTINGS, "layout": layout})


class TestTrl:
    pytestmark = needs("trl", "torch")

    def test_its_loss_takes_advantages_by_token_for_two_steps(
        self, labelled: list[Trace], tmp_path: Path
    ) -> None:
        if not has("trl.trainer.grpo_trainer"):
            pytest.skip("this TRL has no GRPOTrainer")
        import torch
        from trl import GRPOConfig, GRPOTrainer

        class Recorded(GRPOTrainer):  # type: ignore[misc]
            """Its batch comes from the dataset and not from a sampler."""

            seen: list[Any] = []  # noqa: RUF012

            def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
                prompts = [torch.tensor(row["prompt_ids"][::-1]) for row in inputs]
                sides = padded([list(p) for p in prompts], 0).flip(1)
                completions = [row["completion_ids"] for row in inputs]
                advantages = padded([row["advantages"] for row in inputs], 0.0)
                self.seen.append(advantages)
                return {
                    "prompt_ids": sides,
                    "prompt_mask": (sides != 0).long(),
                    "completion_ids": padded(completions, 0),
                    "completion_mask": padded([[1] * len(c) for c in completions], 0),
                    "advantages": advantages,
                    "num_items_in_batch": torch.tensor(sum(map(len, completions))),
                }

        data = rows(tmp_path, labelled[:16], "trl")
        settings = {**two_steps(tmp_path), "num_generations": 4, "beta": 0.0}
        trainer = Recorded(
            model=MODEL,
            reward_funcs=lambda completions, **_: [0.0] * len(completions),
            args=GRPOConfig(**settings),
            train_dataset=data,
        )
        trainer.train()
        assert trainer.state.global_step == 2
        assert all(advantages.dim() == 2 for advantages in Recorded.seen)
        losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        assert any(loss != 0.0 for loss in losses)


class TestVerifiers:
    pytestmark = needs("verifiers")

    def test_its_trace_spreads_the_credit_over_its_tokens(
        self, labelled: list[Trace], tmp_path: Path
    ) -> None:
        from verifiers.v1.state import State
        from verifiers.v1.task import WireTaskData
        from verifiers.v1.trace import AgentConfig
        from verifiers.v1.trace import Trace as Theirs

        target = tmp_path / "traces.jsonl"
        settings = {**SETTINGS, "layout": "verifiers"}
        prmdata.export(labelled, output=str(target), to="credit", settings=settings)
        lines = target.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(labelled)
        for line in lines:
            raw = json.loads(line)
            trace = Theirs[WireTaskData, State, AgentConfig].model_validate(raw)
            (branch,) = trace.branches
            before = len(raw["nodes"][-2]["token_ids"])
            assert branch.advantages is not None
            assert len(branch.advantages) == len(branch.token_ids)
            assert not any(branch.advantages[:before])
            told = raw["info"]["prmdata"]
            for (start, end), step in zip(told["spans"], told["advantages"], strict=True):
                share = sum(branch.advantages[before + start : before + end])
                assert share == pytest.approx(step)
            again = type(trace).model_validate_json(trace.model_dump_json())
            assert again.branches[0].advantages == pytest.approx(branch.advantages, abs=1e-4)
