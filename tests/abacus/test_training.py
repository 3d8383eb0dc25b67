"""The training recipe at toy size: what the model reads, and that its export is the same model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from prmdata.abacus import judge, story
from prmdata.abacus.oracle import CORRECTION

RECIPE = Path(__file__).parents[2] / "recipes" / "train_abacus"


@pytest.fixture(scope="module")
def documents() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPE))  # a recipe is a folder of scripts, not a package
        import documents

        yield documents


@pytest.fixture(scope="module")
def words(documents: Any) -> Any:
    from tokens import tokenizer

    return tokenizer()


def test_only_solutions_are_learned_and_slips_are_not(documents: Any, words: Any) -> None:
    made = documents.Documents(words, documents.Mixture(slips=0.5), 3)
    slipped = corrected = 0
    for _ in range(200):
        before = made.told
        ids, mask = made.solved(0.5)
        if made.told != before + 1:  # a story was drawn again
            continue
        level = next(
            n for n in (1, 2, 3, 4) if story(3, made.told, n, "train").question in words.decode(ids)
        )
        told = story(3, made.told, level, "train")
        lines = words.decode(ids).split("\n")[1:-1]
        learned = words.decode([i for i, m in zip(ids, mask, strict=True) if m]).split("\n")[:-1]
        unlearned = [line for line in lines if line not in learned]
        first = judge(told, lines).first_error
        assert (ids[0], mask[0]) == (words.token_to_id("<bos>"), False)
        assert (ids[-1], mask[-1]) == (words.token_to_id("<eos>"), True)
        assert unlearned == ([] if first is None else [lines[first]])
        slipped += first is not None
        corrected += any(CORRECTION in line for line in lines)
    assert 60 < slipped < 130
    assert 0 < corrected < slipped


def test_sums_are_right(documents: Any, words: Any) -> None:
    ids, mask = documents.Documents(words, documents.Mixture(), 3).drill()
    for a, op, b, c in re.findall(r"(\d+) (.) (\d+) = (\d+)\.", words.decode(ids)):
        assert documents.calculate(op, int(a), int(b)) == int(c)
    assert 0 < sum(mask) < len(mask)


def test_packing_keeps_documents_whole(documents: Any, words: Any) -> None:
    from packing import ROW, ROWS, batches

    ids, targets = next(batches(documents.Documents(words, documents.Mixture(), 3), 5))
    assert ids.shape == targets.shape == (ROWS, ROW)
    assert (ids != 0).float().mean() > 0.85
    assert bool((ids[:, 0] == words.token_to_id("<bos>")).all())
    learned = targets != -100
    assert bool((ids[:, 1:][learned[:, :-1]] == targets[:, :-1][learned[:, :-1]]).all())


def test_the_exported_folder_is_the_trained_network(words: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from export import export
    from network import Network, Shape
    from sampling import Policy

    torch.manual_seed(0)
    network = Network(Shape(544, width=64, layers=2, heads=2, inner=96, context=64))
    with torch.no_grad():  # as exported: bf16
        for weight in network.parameters():
            weight.copy_(weight.bfloat16())
    export(network, words, tmp_path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype="float32")
    ids = torch.randint(3, 527, (2, 33))
    with torch.inference_mode():
        logits = theirs(ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        torch.testing.assert_close(network(ids[:, :-1], ids[:, 1:]), loss)
        policy = Policy(tmp_path)
        assert len(policy.complete(["<bos>Question: ", "<bos>Question: How many?\n"], 0)) == 2


def test_a_checkpoint_can_be_gone_on_from(words: Any, tmp_path: Path) -> None:
    from export import export, restore
    from network import Network, Shape

    first, second = (
        Network(Shape(544, width=64, layers=2, heads=2, inner=96, context=64)) for _ in range(2)
    )
    export(first, words, tmp_path)
    restore(second, tmp_path)
    for name, weight in second.state_dict().items():
        assert torch.equal(weight, first.state_dict()[name].bfloat16().float()), name


def test_habits_learn_slips_and_correct_only_near_misses(documents: Any, words: Any) -> None:
    made = documents.Documents(words, documents.HABITS, 3)
    distances = {True: set(), False: set()}
    for _ in range(600):
        lines = words.decode(made.solved(0.8)[0]).split("\n")[1:-1]
        for line, following in pairwise(lines):
            if found := re.search(r"(\d+) (.) (\d+) = (\d+)", line):
                a, op, b, c = found[1], found[2], found[3], int(found[4])
                right = documents.calculate(op, int(a), int(b))
                if right is not None and right != c:
                    distances[CORRECTION in following].add(abs(right - c))
    assert distances[True] == {1, 2}
    assert {1, 2, 10, 100} <= distances[False]
    assert all(sum(mask) == len(mask[mask.index(True) :]) for mask in [made.solved(0.8)[1]])
