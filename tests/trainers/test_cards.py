"""What the cards of datasets say trains on them, run as it stands there: for one step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.records import Trace
from tests.trainers.exports import MODEL, has, needs, version

pytestmark = [
    *needs("trl", "accelerate", "datasets"),
    pytest.mark.skipif(version("trl") < (1, 13), reason="proved with TRL 1.13 and 1.16"),
]


@pytest.fixture(autouse=True)
def one_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The losses; snippets leave all arguments as they are."""
    import transformers

    monkeypatch.chdir(tmp_path)
    seen: list[float] = []
    train = transformers.Trainer.train

    def shortened(self: Any, *words: Any, **options: Any) -> Any:
        self.args.max_steps, self.args.save_strategy, self.args.logging_steps = 1, "no", 1
        done = train(self, *words, **options)
        seen.append(done.training_loss)
        return done

    checked = transformers.TrainingArguments.__post_init__

    def on_the_cpu(self: Any) -> None:
        self.use_cpu, self.bf16, self.report_to = True, False, "none"
        checked(self)

    monkeypatch.setattr(transformers.Trainer, "train", shortened)
    monkeypatch.setattr(transformers.TrainingArguments, "__post_init__", on_the_cpu)
    return seen


@pytest.mark.parametrize(
    ("to", "settings"),
    [
        ("stepwise", {}),
        ("value", {}),
        ("pairs", {}),
        ("kto", {}),
        ("sft", {}),
        ("sft", {"kind": "prefix"}),
        ("judge", {}),
        ("tokens", {"tokenizer": MODEL}),
        ("rl", {"trainer": "trl", "instruction": ""}),
        ("credit", {"layout": "trl", "tokenizer": MODEL, "unknown": "zero"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_lines_of_the_card_train(
    to: str,
    settings: dict[str, Any],
    labelled: list[Trace],
    policy_model: Any,
    token_classifier: Any,
    tokenizer: Any,
    one_step: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import datasets

    if to in ("stepwise", "value") and not has("trl.experimental.prm"):
        pytest.skip("this TRL has no PRMTrainer")
    monkeypatch.setenv("HF_DATASETS_CACHE", "cache")
    prmdata.export(labelled, output="set", to=to, settings=settings)
    card = Path("set/README.md").read_text(encoding="utf-8")
    block = re.search(
        r"\n((?:    [^\n]*\n|\n)*?    dataset = (?:    [^\n]*\n|[^\n]*\n)(?:    [^\n]*\n|\n(?=    ))*)",
        card,
    )
    assert block is not None
    lines = [line[4:] for line in block[1].splitlines()]
    classifies = to in ("stepwise", "value", "tokens")
    known = {
        "datasets": datasets,
        "model": token_classifier if classifies else policy_model,
        "tokenizer": tokenizer,
    }
    exec("\n".join(lines).replace('"MODEL"', repr(MODEL)), known)
    assert len(one_step) == 1
