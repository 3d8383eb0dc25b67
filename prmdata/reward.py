"""The grader as training stacks call it: TRL's, verl's and verifiers' reward functions.

    TRL        GRPOTrainer(reward_funcs=prmdata.reward.accuracy, …); column answer or solution
    verl       custom_reward_function.path=…/prmdata/reward.py, name=compute_score
    verifiers  Rubric(funcs=[prmdata.reward.correct_answer])

A right answer earns 1, any other 0; an answer in words earns its F1. What has to be understood is
compared in worker processes that are killed at their limit, so that a hostile answer costs itself
alone: neither the batch nor the trainer hangs.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import os
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from prmdata.grading import Grader, Verdict, gold_of
from prmdata.records import AnswerRule, Problem

T = TypeVar("T")
Completion = str | Sequence[Mapping[str, Any]]
"""A text, or the messages of a turn, the last of which is graded."""


class Reward:
    """A grader with an event loop of its own: it can be called from threads and running loops."""

    def __init__(
        self,
        grader: str = "auto",
        answers: AnswerRule = "last",
        kind: str = "math",
        timeout_s: float = 2.0,
        workers: int = 2,
    ) -> None:
        self._grader = Grader(grader, timeout_s, workers)
        self._answers, self._kind = answers, kind
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def verdicts(
        self, completions: Sequence[Completion], golds: Sequence[object], kind: str | None = None
    ) -> list[Verdict]:
        """A gold answer may be several: a list, each of which is right."""
        return self._submitted(self._all(completions, golds, kind)).result()

    def scores(
        self, completions: Sequence[Completion], golds: Sequence[object], kind: str | None = None
    ) -> list[float]:
        return [value(verdict) for verdict in self.verdicts(completions, golds, kind)]

    async def score(self, completion: Completion, gold: object) -> float:
        """The same in a running event loop, which goes on meanwhile."""
        grading = self._submitted(self._all([completion], [gold], None))
        (verdict,) = await asyncio.wrap_future(grading)
        return value(verdict)

    def close(self) -> None:
        """Ends the workers; once closed, it grades nothing more."""
        if self._thread.is_alive():
            with contextlib.suppress(concurrent.futures.TimeoutError):
                self._submitted(self._grader.close()).result(timeout=5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _submitted(self, work: Coroutine[object, object, T]) -> concurrent.futures.Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _all(
        self, completions: Sequence[Completion], golds: Sequence[object], kind: str | None
    ) -> list[Verdict]:
        pairs = zip(completions, golds, strict=True)
        return await asyncio.gather(*(self._one(text, gold, kind) for text, gold in pairs))

    async def _one(self, completion: Completion, gold: object, kind: str | None) -> Verdict:
        golds = [gold_of(text) for text in _listed(gold)]
        first, further = (golds[0] if golds else None), tuple(golds[1:])
        problem = Problem("reward", "?", first, kind or self._kind, answers=further)
        return await self._grader.grade(text_of(completion), problem, self._answers)


def value(verdict: Verdict) -> float:
    return verdict.score if verdict.score is not None else float(verdict.correct is True)


def text_of(completion: Completion) -> str:
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else ""
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in content or () if isinstance(part, Mapping)]
    return "".join(text for text in parts if isinstance(text, str))


def accuracy(
    completions: Sequence[Completion],
    answer: Sequence[object] | None = None,
    solution: Sequence[object] | None = None,
    **columns: object,
) -> list[float]:
    """TRL: a reward for each completion, by the data set's column `answer` or `solution`."""
    golds = answer if answer is not None else solution
    if golds is None:
        raise ValueError("the data set has neither a column 'answer' nor a column 'solution'")
    return shared().scores(completions, golds)


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None = None,
    **settings: object,
) -> float:
    """verl: the reward of one answer. `extra_info` may name its `kind`."""
    kind = (extra_info or {}).get("kind")
    (score,) = shared().scores([solution_str], [ground_truth], kind)
    return score


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping[str, object] | None] | None = None,
    **settings: object,
) -> list[float]:
    """verl's batch reward manager: the rewards of many answers, of which none delays another."""
    return shared().scores(solution_strs, list(ground_truths))


async def correct_answer(completion: Completion, answer: object, **state: object) -> float:
    """verifiers: a rubric's reward function."""
    return await shared().score(completion, answer)


def shared() -> Reward:
    """One for the process: trainers fork, and a fork has no thread of its parent's."""
    return _of_process(os.getpid())


@functools.cache
def _of_process(pid: int) -> Reward:
    reward = Reward()
    atexit.register(reward.close)
    return reward


def _listed(gold: Any) -> list[str]:
    if gold is None:
        return []
    if isinstance(gold, str):
        return [gold]
    if isinstance(gold, Mapping):  # a wrapped truth, as some data sets of verl's have
        return _listed(gold.get("target") or gold.get("ground_truth") or gold.get("answer"))
    try:
        return [str(one) for one in gold]
    except TypeError:
        return [str(gold)]
