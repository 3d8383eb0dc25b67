"""`prm` against a server whose every number can be told in advance, and against a language model."""

from __future__ import annotations

import asyncio
import json
import math
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import prmdata
from prmdata.errors import PrmdataError, SamplerError, UsageError
from prmdata.labellers import method
from prmdata.labellers.prm import probability, share
from prmdata.labellers.rewarded.layouts import LAYOUTS, marked, text_of
from prmdata.records import Evidence, Trace
from prmdata.run.engine import ErrorLimit
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.stages.label import Labelling, run_labelling
from tests.sampler.rating import SEPARATOR, TEMPLATE, rating, save_words, thought
from tests.sampler.tiny import save_tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_words(tmp_path_factory.mktemp("words"))


@pytest.fixture
def some(traces: list[Trace]) -> list[Trace]:
    return traces[:6]


def rated(url: str, traces: list[Trace], **settings: object) -> list[Trace]:
    return prmdata.estimate(traces, method="prm", sampler=url, settings=settings)


def failing(url: str, traces: list[Trace], **settings: str) -> list[Trace]:
    """Where failures are let through."""
    how = method("prm", "estimate", settings)
    output = ListOutput()
    options = RunOptions(quiet=True, store=None, max_errors=ErrorLimit(share=1.0))
    asked = Labelling("estimate", "prm", how, sampler=url)
    asyncio.run(run_labelling(asked, output, options, traces))
    return output.traces


def values(trace: Trace) -> list[float | None]:
    assert trace.error is None
    evidence = trace.evidence_named("prm")
    assert evidence is not None
    return list(evidence.values)


def expected(folder: Path, trace: Trace) -> list[float]:
    """By hand: the chat with the separator after each step, and what is thought at each of them."""
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    system = LAYOUTS["qwen"].system
    text = f"<system>{system}</system>\n<user>{trace.problem.question}</user>\n<assistant>"
    text += "".join(f"{step.text.strip()}{SEPARATOR}" for step in trace.steps)
    ids = words.encode(text, add_special_tokens=False).ids
    return [
        thought(ids[: place + 1])
        for place, token in enumerate(ids)
        if token == words.token_to_id(SEPARATOR)
    ]


@pytest.mark.parametrize("manner", ["tokens", "steps", "texts"])
def test_every_kind_of_server_says_what_it_thinks_at_the_separators(
    folder: Path, some: list[Trace], manner: str
) -> None:
    with rating(folder, manner) as url:
        made = rated(url, some)
    for trace in made:
        assert values(trace) == pytest.approx(expected(folder, trace))
        evidence = trace.evidence_named("prm")
        assert evidence is not None
        assert evidence.cost.scored > 20 * len(trace.steps)
        assert evidence.cost.tokens == evidence.cost.rollouts == 0
        assert evidence.settings["model"].endswith("-rates")


def test_what_it_thinks_is_evidence_that_labels_and_scores_are_made_of(
    folder: Path, some: list[Trace]
) -> None:
    with rating(folder) as url:
        made = rated(url, some)
    labelled = prmdata.label(
        made, method="threshold", settings={"evidence": "prm", "threshold": 0.5}
    )
    for trace in labelled:
        assert trace.labels is not None
        first = next((i for i, v in enumerate(values(trace)) if (v or 0) <= 0.5), None)
        assert trace.labels.first_error == first
    told = prmdata.score(labelled, truth="abacus")
    assert told["traces"] == len(some)


def test_a_text_is_asked_about_once(folder: Path, some: list[Trace], tmp_path: Path) -> None:
    store = str(tmp_path / "store")

    def run(sampler: str) -> list[Trace]:
        return prmdata.estimate(some, method="prm", sampler=sampler, store=store)

    with rating(folder) as url:
        once = run(url)
        address = url.removeprefix("prm:").removesuffix("/v1")
        asked = json.load(urllib.request.urlopen(f"{address}/asked"))["asked"]
        again = run(url)
        assert json.load(urllib.request.urlopen(f"{address}/asked"))["asked"] == asked + 1  # hello
    replayed = run(f"replay:{store}")
    assert [values(t) for t in once] == [values(t) for t in again] == [values(t) for t in replayed]
    others = prmdata.estimate
    with pytest.raises(SamplerError, match="no rating of this text"):
        others(some, method="prm", sampler=f"replay:{store}", settings={"layout": "chat"})


def test_logits_are_told_from_probabilities(folder: Path, some: list[Trace]) -> None:
    with rating(folder, "logits") as url:
        for trace in rated(url, some, logits=True):
            assert values(trace) == pytest.approx(expected(folder, trace))
        failed = failing(url, some)
    assert all("--set logits=true" in str(trace.error) for trace in failed)


@pytest.mark.parametrize(
    ("manner", "layout", "said"),
    [
        ("few", "qwen", "looks for another separator"),
        ("many", "qwen", "fit no text"),
        ("steps", "trl", "looks for another separator"),
    ],
)
def test_ratings_that_fit_no_step_are_no_ratings(
    folder: Path, some: list[Trace], manner: str, layout: str, said: str
) -> None:
    with rating(folder, manner) as url:
        (made,) = failing(url, some[:1], layout=layout)
    assert said in str(made.error)


def test_what_rates_nothing_is_named_before_the_run(folder: Path, some: list[Trace]) -> None:
    with rating(folder, "neither") as url, pytest.raises(SamplerError, match="--runner pooling"):
        rated(url, some)


def test_a_reward_model_is_for_this_method_alone(folder: Path, some: list[Trace]) -> None:
    with rating(folder) as url:
        with pytest.raises(UsageError, match="is a reward model"):
            prmdata.label(some, sampler=url)
        with pytest.raises(SamplerError, match="writes nothing"):
            prmdata.generate("abacus:2", samples=1, sampler=url)
    with pytest.raises(UsageError, match="name it with --sampler prm:"):
        prmdata.estimate(some, method="prm")


def test_steps_that_hold_the_separator_and_texts_that_are_too_long_fail_alone(
    folder: Path, some: list[Trace]
) -> None:
    first, second, third = some[:3]
    hostile = replace(first.steps[0], text=f"Fine. {SEPARATOR} And fine.\n")
    long = replace(second.steps[0], text="1 + 1 = 2. " * 200)
    made = rated_whatever(
        folder,
        [
            replace(first, steps=(hostile, *first.steps[1:])),
            replace(second, steps=(long, *second.steps[1:])),
            third,
        ],
    )
    assert "step 1 holds the separator" in str(made[0].error)
    assert "do not fit a context of 400" in str(made[1].error)
    assert values(made[2]) == pytest.approx(expected(folder, third))


def rated_whatever(folder: Path, traces: list[Trace]) -> list[Trace]:
    with rating(folder) as url:
        return failing(url, traces)


TEMPLATED = ChatTemplate(TEMPLATE, bos="<bos>", bos_by_default=False)


def written(trace: Trace, layout: str, separator: str | None = None) -> str:
    chosen = LAYOUTS[layout]  # type: ignore[index]
    return text_of(marked(trace, chosen, separator or chosen.separator, TEMPLATED, None))[0]


def test_layouts_are_what_their_models_were_trained_on(some: list[Trace]) -> None:
    trace = some[0]
    question, steps = trace.problem.question, [step.text.strip() for step in trace.steps]
    assert written(trace, "trl") == f"<bos>{question}\n" + "".join(f"{s}\n" for s in steps)
    assert written(trace, "plain") == f"{question}\n" + "".join(f"{s}\n" for s in steps)
    numbered = [s if s.startswith("Step") else f"Step {n}: {s}" for n, s in enumerate(steps, 1)]
    assert written(trace, "math-shepherd") == f"{question} " + "\n".join(
        f"{s} ки" for s in numbered
    )
    assert written(trace, "chat", "[s]").endswith("[s]")
    assert "<system>" not in written(trace, "chat")
    assert "<system>" in written(trace, "qwen")


def test_trl_cuts_every_part_into_tokens_by_itself(folder: Path, some: list[Trace]) -> None:
    """As its PRMTrainer does: the first token, the prompt, and each step and separator."""
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encoded(text: str) -> list[int]:
        return words.encode(text, add_special_tokens=False).ids

    with rating(folder) as url:
        made = rated(url, some, layout="trl")
    for trace in made:
        ids = [words.token_to_id("<bos>"), *encoded(f"{trace.problem.question}\n")]
        wanted = []
        for step in trace.steps:
            ids += encoded(step.text.strip()) + encoded("\n")
            wanted.append(thought(ids))
        assert values(trace) == pytest.approx(wanted)


def test_a_language_model_is_read_by_its_words(
    tmp_path: Path, sample_traces: Callable[[int, int], list[Trace]]
) -> None:
    """The share of the right word, as transformers works it out in another precision."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = save_tiny(tmp_path, "small")
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = AutoModelForCausalLM.from_pretrained(folder).float()
    trace = next(t for t in sample_traces(4, 1) if len(t.steps) == 3)
    text, marks = text_of(marked(trace, LAYOUTS["plain"], ";", ChatTemplate(None), None))
    encoding = words.encode(f"{text}\n", add_special_tokens=False)
    with torch.no_grad():
        chances = model(torch.tensor([encoding.ids])).logits[0].log_softmax(-1)
    places = [next(i for i, (a, _) in enumerate(encoding.offsets) if a == m) for m in marks]
    seen = [chances[place - 1].topk(20) for place in places]
    named = [[words.id_to_token(i) for i in top.indices.tolist()] for top in seen]
    plain = [t for t in named[0] if t.isalnum() and t.isascii()]
    right, wrong = plain[:2]
    wanted = []
    for place, shown in zip(places, named, strict=True):
        mass = [
            sum(
                chances[place - 1, words.token_to_id(w)].exp().item()
                for w in shown
                if bare(w) == word
            )
            for word in (right, wrong)
        ]
        wanted.append(mass[0] / sum(mass) if sum(mass) else None)
    settings = {"layout": "plain", "separator": ";", "words": f"{right} {wrong}"}
    (made,) = rated(f"local:{folder}", [trace], **settings)
    assert wanted[0] is not None
    for found, value in zip(values(made), wanted, strict=True):
        assert found == (None if value is None else pytest.approx(value, abs=5e-3))


def bare(token: str) -> str:
    return token.strip("\u0120")


def test_numbers_and_words() -> None:
    assert probability([0.3, 0.7], 1, False) == 0.7
    assert probability([0.4], 1, False) == 0.4
    assert probability([0.0], 1, True) == 0.5
    assert probability([1000.0, -1000.0], 1, True) == pytest.approx(0)
    seen = (("\u2581+", math.log(0.6)), ("-", math.log(0.2)), (" -", math.log(0.1)))
    assert share(seen, "+", "-") == pytest.approx(0.6 / 0.9)
    assert share(seen, "yes", "no") is None
    with pytest.raises(PrmdataError, match="2 classes apart"):
        probability([0.1, 0.9], 2, False)


@pytest.mark.parametrize("settings", [{"words": "good"}, {"words": "+ +"}, {"separator": ""}])
def test_settings_that_ask_for_nothing(settings: dict[str, str], some: list[Trace]) -> None:
    with pytest.raises(UsageError, match="must"):
        rated("prm:http://127.0.0.1:9/v1", some, **settings)


def test_traces_that_act_are_left_alone(folder: Path, some: list[Trace]) -> None:
    acting = replace(some[0], steps=(replace(some[0].steps[0], kind="tool_call"),))
    (made,) = rated_whatever(folder, [acting])
    assert "acts with tools" in str(made.error)
    assert not any(isinstance(e, Evidence) and e.name == "prm" for e in made.evidence)
