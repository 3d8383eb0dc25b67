from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from prmdata.errors import UsageError
from prmdata.exports.contract import LeftOut
from prmdata.exports.tokens import Tokens
from prmdata.records import Step, Trace
from prmdata.sampler import ABACUS_MODEL
from tests.exports.cases import MODEL, RIGHT, WRONG, exported


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Byte-level pieces with a beginning and an end token, set to cut and to pad."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    made.train_from_iterator([WRONG.text, RIGHT.text] * 5, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    made.enable_truncation(8)
    made.enable_padding(length=512)
    folder = tmp_path_factory.mktemp("tokenizer")
    made.save(str(folder / "tokenizer.json"))
    return folder


MULTIBYTE = replace(
    RIGHT, steps=tuple(map(Step, ("Größe: 4·2 = 8 →\n\n", "3+8 = 11 ✓\n", "😀 11")))
)


@pytest.mark.parametrize("trace", [WRONG, RIGHT, MULTIBYTE])
def test_labels_stand_where_steps_end(trace: Trace, tokenizer: Path) -> None:
    row = Tokens(str(tokenizer), after_error="wrong").row(trace)
    assert (row["input_ids"][0], row["input_ids"][-1]) == (0, 1)
    known = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    places = [i for i, label in enumerate(row["labels"]) if label != -100]
    prompt = trace.problem.question + "\n"
    for number, place in enumerate(places, 1):
        read = known.decode(row["input_ids"][: place + 1], skip_special_tokens=False)
        assert read == "<s>" + prompt + trace.prefix(number)
    first = trace.labels.first_error if trace.labels else None
    assert [row["labels"][place] for place in places] == [
        int(first is None or i < first) for i in range(3)
    ]


@pytest.mark.slow
def test_a_token_classifier_trains_on_it(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "tokens", [WRONG, RIGHT], {"tokenizer": str(MODEL)})
    assert loaded.features["input_ids"].feature.dtype == "int64"
    assert loaded.features["labels"].feature.dtype == "int64"
    assert [label for label in loaded[0]["labels"] if label != -100] == [1, 0]
    assert (counts["steps right"], counts["steps wrong"]) == (4, 1)
    config = transformers.LlamaConfig(
        vocab_size=2048, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_labels=2,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.LlamaForTokenClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), 0.05)
    losses = []
    for _ in range(30):
        total = sum(
            model(
                input_ids=torch.tensor([row["input_ids"]]), labels=torch.tensor([row["labels"]])
            ).loss
            for row in loaded
        )
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    assert losses[-1] < losses[0] / 2


def test_long_and_indistinct_traces_are_left_out(tokenizer: Path) -> None:
    with pytest.raises(LeftOut, match="longer"):
        Tokens(str(tokenizer), max_tokens=10).row(WRONG)
    empty = replace(RIGHT, steps=(*RIGHT.steps[:2], Step(""), RIGHT.steps[2]))
    with pytest.raises(LeftOut, match="one token"):
        Tokens(str(tokenizer)).row(empty)


def test_a_tokenizer_is_needed_and_must_be_one(tmp_path: Path) -> None:
    stranger = replace(WRONG, origin=replace(WRONG.origin, sampler="http://x/v1"))
    with pytest.raises(UsageError, match="--set tokenizer"):
        Tokens().row(stranger)
    ours = replace(WRONG, origin=replace(WRONG.origin, sampler="abacus"))
    assert Tokens().row(ours) == Tokens(str(ABACUS_MODEL)).row(ours)
    with pytest.raises(UsageError, match=r"tokenizer\.json"):
        Tokens(str(tmp_path)).row(WRONG)
