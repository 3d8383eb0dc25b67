"""The learner learns what it is told to, tokens and weights stay together, and both recipes run."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from prmdata.records import Trace
from prmdata.sampler import ABACUS_MODEL

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(RECIPES / "rl_credit"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(RECIPES / "rl_credit"))


@pytest.fixture(scope="module")
def learner() -> ModuleType:
    return module("learner")


def test_its_probabilities_are_those_of_transformers(learner: ModuleType) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    rows = [
        learner.Row(range(5, 5 + prompt), range(40, 40 + said), [1.0] * said)
        for prompt, said in ((4, 9), (11, 3), (7, 7))
    ]
    ids, weights = learner.padded(rows)
    ours = learner.log_probabilities(learner.Learner(ABACUS_MODEL, 1e-4).network, ids)
    model = AutoModelForCausalLM.from_pretrained(ABACUS_MODEL).float()
    with torch.no_grad():
        logits = model(ids).logits[:, :-1].log_softmax(-1)
    theirs = logits.gather(-1, ids[:, 1:, None])[..., 0]
    assert torch.allclose(ours[weights > 0], theirs[weights > 0], atol=1e-3)
    for row, line, weight in zip(rows, ids, weights, strict=True):
        told = [int(token) for token, w in zip(line[1:], weight, strict=True) if w]
        assert told == list(row.completion)


def test_what_is_paid_becomes_likelier_and_what_is_fined_less(
    learner: ModuleType, tmp_path: Path
) -> None:
    said = [50, 51, 52]
    ids, _ = learner.padded([learner.Row([5, 6, 7], said, [0.0] * 3)])
    for weights, place in (([1.0, 0.0, 0.0], 2), ([0.0, 0.0, -1.0], 4)):
        made = learner.Learner(ABACUS_MODEL, 1e-3)
        before = learner.log_probabilities(made.network, ids).detach()
        assert made.learn([learner.Row([5, 6, 7], said, weights)]) > 0
        after = learner.log_probabilities(made.network, ids).detach()
        assert (after[0, place] > before[0, place]) == (weights[place - 2] > 0)
    again = learner.Learner(made.save(tmp_path), 1e-3)
    assert learner.log_probabilities(again.network, ids).detach().equal(after)
    still = learner.Learner(ABACUS_MODEL, 1e-3)
    assert still.learn([learner.Row([5], [6, 7], [0.0, 0.0])]) == 0


def test_batches_hold_every_row_once(learner: ModuleType) -> None:
    rows = [learner.Row([1] * (n % 90 + 1), [2] * 20, [1.0] * 20) for n in range(500)]
    batches = list(learner.batches(rows))
    assert sorted(map(id, (row for batch in batches for row in batch))) == sorted(map(id, rows))
    for batch in batches:
        longest = max(len(row.prompt) + len(row.completion) for row in batch)
        assert len(batch) * longest <= learner.TOKENS_AT_ONCE


def test_rows_have_the_credit_of_their_steps(traces: list[Trace]) -> None:
    rows = module("rows")
    some = traces[:8]
    paid = [rows.same_for_all(trace, 0.5 + n) for n, trace in enumerate(some)]
    made = rows.rows_of(paid, ABACUS_MODEL)
    assert len(made) == len(some)
    for number, row in enumerate(made):
        assert set(row.weights) == {0.5 + number}
        assert len(row.weights) == len(row.completion)


def test_shares_and_the_table_of_made_up_runs(tmp_path: Path) -> None:
    for arm, extra in (("outcome", 0), ("steps", 1)):
        for seed in (1, 2):
            lines = [
                {"step": step, "arm": arm, "seed": seed, "right": [1, 2, 2 + extra * step // 10],
                 "of": 4, "sampled": 100, "spent": 40 * extra}
                for step in (0, 10)
            ]  # fmt: skip
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (tmp_path / f"{arm}-{seed}.jsonl").write_text(text)
    report = module("report")
    table = report.table(report.read(tmp_path))
    assert "| 0 | 2 | 0.417 (" in table
    assert "| 0.083 (0.000 to 0.250) |" in table
    assert "Tokens of 10 steps: 100 of traces, and 40 of labels" in table
    share = module("shares").share([[0.0] * 50 + [1.0] * 50])
    assert share.mean == 0.5
    assert 0.38 < share.low < 0.42 < 0.58 < share.high < 0.62


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "said"),
    [("rl_credit", "| 1 | 1 | "), ("repair_loop", "| `repaired` | 16 | ")],
)
def test_it_runs_small(recipe: str, said: str, tmp_path: Path) -> None:
    known = [f"PYTHON={sys.executable}", f"PRMDATA={sys.executable} -m prmdata"]
    done = subprocess.run(
        ["make", "-C", str(RECIPES / recipe), "small", f"OUT={tmp_path}", *known],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert said in done.stdout
