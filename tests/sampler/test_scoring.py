"""What a model makes of given text: the same whoever asks, in any company, by any engine."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tokenizers import Tokenizer
from tokenizers.processors import ByteLevel

from prmdata.abacus import solution, story
from prmdata.errors import ItemError, SamplerError
from prmdata.grading import Grader
from prmdata.records import Origin, Problem, Step, Trace
from prmdata.sampler import Sampler, open_sampler
from prmdata.sampler.models.boundary import exact, span
from prmdata.sampler.models.likely import likely
from prmdata.sampler.protocol import Scored
from prmdata.sampler.rollouts import Rollouts, RolloutSettings
from prmdata.sampler.storage.store import Store
from prmdata.sampler.storage.stored import StoredSampler
from tests.policy import Policy
from tests.sampler.test_contract import needs_vllm, served, vllm_server
from tests.sampler.tiny import QUESTION, TEXTS, save_tiny

T = TypeVar("T")
TOLD = story(31, 3, 4)
PROMPT = f"<bos>Question: {TOLD.question}\n"
LINES = [f"{line}\n" for line in solution(TOLD)]
ASKED = [(PROMPT + "".join(LINES[:done]), "".join(LINES[done:])) for done in range(len(LINES))]
UNICODE = (f"{PROMPT}é", "日本 = 7.\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("small"), "small")


def using(spec: str, work: Callable[[Sampler], Awaitable[T]], **options: str) -> T:
    async def run() -> T:
        sampler = await open_sampler(spec, options)
        try:
            return await work(sampler)
        finally:
            await sampler.close()

    return asyncio.run(run())


def all_of(sampler: Sampler, top: int = 3) -> Awaitable[list[Scored]]:
    return asyncio.gather(*(sampler.score(*text, top) for text in (*ASKED, UNICODE)))


def test_the_next_tokens_together_are_certain() -> None:
    async def work(sampler: Sampler) -> tuple[Scored, list[Scored]]:
        whole = await sampler.score(PROMPT, LINES[0], 10_000)
        place = whole.top[-1][:5]
        before = PROMPT + LINES[0][: whole.starts[-1]]
        return whole, [await sampler.score(before, token) for token, _ in place]

    whole, alone = using("abacus", work)
    for place, entropy in zip(whole.top, whole.entropies, strict=True):
        assert sum(math.exp(p) for _, p in place) == pytest.approx(1, abs=1e-4)
        assert entropy == pytest.approx(-sum(math.exp(p) * p for _, p in place), abs=1e-4)
    for place, certainty in zip(whole.top, whole.certainties, strict=True):
        uniform = -math.log(len(place))
        assert certainty == pytest.approx(uniform - sum(p for _, p in place) / len(place), abs=1e-3)
    for (_, p), scored in zip(whole.top[-1], alone, strict=False):
        assert scored.logprobs == pytest.approx((p,), abs=1e-5)


def test_company_order_and_what_was_read_before_change_no_bit(folder: Path) -> None:
    chance = random.Random(5)
    texts = [(QUESTION + "".join(chance.choices(TEXTS, k=k % 5)), TEXTS[k % 3]) for k in range(60)]

    async def alone(sampler: Sampler) -> list[Scored]:
        return [await sampler.score(*text, 4) for text in texts]

    async def together(sampler: Sampler) -> list[Scored]:
        order = list(range(len(texts)))
        chance.shuffle(order)
        found = await asyncio.gather(*(sampler.score(*texts[i], 4) for i in order))
        return [scored for _, scored in sorted(zip(order, found, strict=True))]

    local = f"local:{folder}"
    assert using(local, alone) == using(local, together)


def test_other_architectures_agree_with_themselves_in_any_company(tmp_path: Path) -> None:
    texts = [(QUESTION + "".join(TEXTS[:k]), TEXTS[2 - k]) for k in range(3)] * 3

    async def both(sampler: Sampler) -> list[tuple[Scored, Scored]]:
        alone = [await sampler.score(*text, 2) for text in texts]
        return list(
            zip(alone, await asyncio.gather(*(sampler.score(*t, 2) for t in texts)), strict=True)
        )

    for one, other in using(f"local:{save_tiny(tmp_path, 'gpt2')}", both):
        assert one.logprobs == pytest.approx(other.logprobs, abs=2e-5)
        assert one.entropies == pytest.approx(other.entropies, abs=2e-5)


ENGINES = [
    "endpoint",
    pytest.param("vllm", marks=needs_vllm),
    pytest.param("vllm-uncached", marks=needs_vllm),
    pytest.param("vllm-server", marks=needs_vllm),
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, str], float]]:
    if request.param == "endpoint":
        with served("abacus") as url:
            yield url, {}, 1e-9
    elif request.param == "vllm-server":
        with vllm_server("float32") as url:
            yield url, {}, 1e-4
    else:
        cached = str(request.param == "vllm").lower()
        options = {"max_model_len": "1024", "dtype": "float32", "enable_prefix_caching": cached}
        yield "vllm:abacus", options, 1e-4


def test_every_engine_says_the_same(engine: tuple[str, dict[str, str], float]) -> None:
    spec, options, within = engine
    ours = using("abacus", all_of)
    for found, expected in zip(using(spec, all_of, **options), ours, strict=True):
        assert found.logprobs == pytest.approx(expected.logprobs, abs=within)
        assert (found.starts, found.read) == (expected.starts, expected.read)
        assert [place[0][0] for place in found.top if place[0][1] > -0.3] == [
            place[0][0] for place in expected.top if place[0][1] > -0.3
        ]
        assert len(found.entropies) == len(found.logprobs)


def test_a_text_that_begins_within_a_token_is_scored_with_it(folder: Path) -> None:
    whole = "Ada has 3 plums.\n"
    tokenizer = exact(Tokenizer.from_file(str(folder / "tokenizer.json")))
    cut = span(tokenizer, QUESTION, whole)
    inside = cut.starts[1] - 1
    assert inside > 0

    async def work(sampler: Sampler) -> tuple[Scored, Scored]:
        return (
            await sampler.score(QUESTION, whole),
            await sampler.score(QUESTION + whole[:inside], whole[inside:]),
        )

    at_once, within = using(f"local:{folder}", work)
    assert not at_once.straddles
    assert within.straddles
    assert within.logprobs == at_once.logprobs
    assert within.starts[:2] == (0, 1)


def test_tokenizers_that_hide_spaces_do_not_move_a_boundary() -> None:
    from prmdata.sampler import ABACUS_MODEL
    from tests.sampler.tiny import _tokenizer

    trimming = _tokenizer()
    trimming.post_processor = ByteLevel(trim_offsets=True)  # type: ignore[assignment]
    assert span(exact(trimming), "<bos>3", "\n\n 4").starts == (0, 1, 2, 3)
    shipped = exact(Tokenizer.from_file(str(ABACUS_MODEL / "tokenizer.json")))
    assert span(shipped, "The answer is", " 12").starts == (0, 2)
    assert span(shipped, "The answer is ", "12").straddles


def test_a_store_pays_for_a_score_once(tmp_path: Path) -> None:
    policy = Policy({0: 2})

    async def work() -> tuple[list[Scored], StoredSampler]:
        first = StoredSampler(policy, Store(tmp_path))
        asked = [first.score("1 + 1", " = 2", top) for top in (0, 0, 5)]
        found = list(await asyncio.gather(*asked))
        again = StoredSampler(policy, Store(tmp_path))
        assert await again.score("1 + 1", " = 2", 5) == found[2]
        assert (again.spending.scored, again.spending.calls) == (0, 0)
        return found, first

    found, first = asyncio.run(work())
    assert found[0] == found[1]
    assert first.spending.scored == 2 * found[0].read  # with top 0 and with top 5
    assert first.spending.tokens == 0


def test_the_likeliest_are_sorted_cut_and_scaled() -> None:
    places = [(("b", math.log(0.2)), ("a", math.log(0.6)), ("c", math.log(0.1)))]
    top, entropies = likely(places, 2)
    assert [token for token, _ in top[0]] == ["a", "b"]
    assert entropies[0] == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert likely(places, 0) == ((), ())


def test_nothing_before_or_too_much_is_refused(folder: Path) -> None:
    async def work(sampler: Sampler) -> None:
        with pytest.raises(ItemError, match="first token of a text"):
            await sampler.score("", "a")
        with pytest.raises(ItemError, match="do not fit a context"):
            await sampler.score(QUESTION * 30, "a")

    using(f"local:{folder}", work)


def test_servers_that_cannot_score_are_named_before_anything_is_paid() -> None:
    async def work(url: str, tokenizer: Any) -> str:
        sampler = await open_sampler(url)
        sampler.tokenizer = tokenizer or sampler.tokenizer  # type: ignore[attr-defined]
        try:
            with pytest.raises(SamplerError) as refusal:
                await sampler.check_scoring()  # type: ignore[attr-defined]
        finally:
            await sampler.close()
        return str(refusal.value)

    from tests.sampler.tiny import _tokenizer

    with served("abacus") as url:
        using(url, lambda s: s.check_scoring())  # type: ignore[attr-defined]
        other = asyncio.run(work(url, exact(_tokenizer())))
        assert url in other
        assert "of another tokenization" in other
    with served("policy") as url:
        refusal = asyncio.run(work(url, None))
        assert url in refusal
        assert "does not score given text" in refusal


def test_rollouts_score_any_text_and_count_what_was_read() -> None:
    steps = tuple(Step(line) for line in LINES)
    trace = Trace(
        "t", Problem("p", TOLD.question, str(TOLD.answer)), steps, origin=Origin("m", "m")
    )

    async def work(sampler: Sampler) -> Rollouts:
        rollouts = Rollouts(sampler, Grader(), RolloutSettings())
        whole = await rollouts.score_steps(trace)
        parts = [await rollouts.log_probs(trace, step) for step in range(len(steps))]
        joined = [p for part in parts for p in part]
        assert whole.logprobs == pytest.approx(joined, abs=1e-5)
        direct = await sampler.score(PROMPT + LINES[0] + "The answer is", " 4.\n")
        opened = await rollouts.score(trace, 1, " 4.\n", opening="The answer is")
        assert opened == direct
        other = ({"role": "user", "content": "How much is 4?"},)
        assert await rollouts.score(trace, 1, " 4.\n", messages=other) != opened
        paid = rollouts.cost(trace, 1)
        assert (paid.tokens, paid.rollouts) == (0, 0)
        assert paid.scored > whole.read + opened.read
        return rollouts

    rollouts = using("abacus", work)
    assert rollouts.texts_read == len(steps) + 3
    assert rollouts.texts_straddling == 0
