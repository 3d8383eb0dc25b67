"""How a policy does: pass rates, where its first errors are, what prefixes are worth.

python measure.py                     # the shipped model
python measure.py run/step-01560 --problems 96 --samples 4 --prefixes 0      # a quick look
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from sampling import Policy

from prmdata.abacus import MODEL, Judgement, Story, judge, story
from prmdata.abacus.oracle import CORRECTION

ROLLOUTS = 32
MARKS = ("<!-- figures -->", "<!-- end of figures -->")


@dataclass(frozen=True)
class Attempt:
    told: Story
    lines: list[str]
    judged: Judgement
    finished: bool
    """Ends with an answer, right or wrong."""


@dataclass
class Figures:
    problems: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    """Right answers of each problem."""
    before: list[float] = field(default_factory=list)
    """MC value of the prefix that ends before a first error."""
    after: list[float] = field(default_factory=list)
    """... and of the one that includes it."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, nargs="?", default=MODEL)
    options.add_argument("--problems", type=int, default=500)
    options.add_argument("--samples", type=int, default=8)
    options.add_argument("--prefixes", type=int, default=200, help="first errors to look around")
    options.add_argument("--namespace", default="test", choices=("calibration", "test"))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--temperature", type=float, default=1.0)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--dtype", default="float32", choices=("bfloat16", "float32"))
    options.add_argument("--into", type=Path, action="append", default=[], help="a README")
    asked = options.parse_args()
    torch.set_num_threads(asked.threads)
    policy = Policy(asked.folder, getattr(torch, asked.dtype), asked.temperature)
    figures = attempted(policy, asked.namespace, asked.problems, asked.samples, asked.seed)
    value_prefixes(policy, figures, asked.prefixes, asked.seed)
    text = report(figures, asked.samples)
    print(text)
    for page in asked.into:
        write_into(page, text)


def write_into(page: Path, figures: str) -> None:
    """Replaces what stands between the page's two marks."""
    head, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, tail = rest.partition(MARKS[1])
    page.write_text(f"{head}{MARKS[0]}\n{figures}\n{MARKS[1]}{tail}", encoding="utf-8")


def attempted(policy: Policy, namespace: str, problems: int, samples: int, seed: int) -> Figures:
    stories = [story(seed, i, 1 + i % 4, namespace) for i in range(problems)]
    asked = [told for told in stories for _ in range(samples)]
    texts = policy.complete([prompt(told) for told in asked], seed)
    attempts = [_attempt(told, text) for told, text in zip(asked, texts, strict=True)]
    hits = [
        sum(a.judged.answer_right for a in attempts[start : start + samples])
        for start in range(0, len(attempts), samples)
    ]
    return Figures(problems, attempts, hits)


def value_prefixes(policy: Policy, figures: Figures, count: int, seed: int) -> None:
    """Rollouts around first errors, of traces that end in a wrong answer or not."""
    wrong = [a for a in figures.attempts if a.judged.first_error is not None]
    random.Random(seed).shuffle(wrong)
    wrong = wrong[:count]
    prefixes = []
    for attempt in wrong:
        at = attempt.judged.first_error or 0
        prefixes += [(attempt, at), (attempt, at + 1)]
    texts = [_prefix(a, kept) for a, kept in prefixes for _ in range(ROLLOUTS)]
    written = policy.complete(texts, seed + 1) if texts else []
    for number, (attempt, kept) in enumerate(prefixes):
        rollouts = written[number * ROLLOUTS : (number + 1) * ROLLOUTS]
        right = sum(
            judge(attempt.told, attempt.lines[:kept] + text.splitlines()).answer_right
            for text in rollouts
        )
        (figures.after if number % 2 else figures.before).append(right / ROLLOUTS)


def prompt(told: Story) -> str:
    return f"<bos>Question: {told.question}\n"


def _prefix(attempt: Attempt, kept: int) -> str:
    return prompt(attempt.told) + "".join(f"{line}\n" for line in attempt.lines[:kept])


def _attempt(told: Story, text: str) -> Attempt:
    lines = text.splitlines()
    finished = bool(lines) and lines[-1].startswith("The answer is")
    return Attempt(told, lines, judge(told, lines), finished)


def position(attempt: Attempt) -> float:
    """Where in the trace its first error is: the middle of that line, in [0, 1]."""
    return ((attempt.judged.first_error or 0) + 0.5) / len(attempt.lines)


def report(figures: Figures, samples: int) -> str:
    attempts, total = figures.attempts, len(figures.attempts)
    wrong = [a for a in attempts if a.judged.first_error is not None]
    recovered = [a for a in wrong if a.judged.answer_right]
    corrected = [a for a in recovered if any(CORRECTION in line for line in a.lines)]
    mixed = sum(0 < hits < samples for hits in figures.hits)
    kinds = Counter(a.judged.steps[a.judged.first_error or 0].error for a in wrong)
    deciles = Counter(min(int(10 * position(a)), 9) for a in wrong)
    lines = [
        "| figure | value |",
        "|---|---|",
        f"| traces | {total} of {figures.problems} problems |",
        f"| pass@1 | {_share(sum(a.judged.answer_right for a in attempts), total)} |",
    ]
    for level in (1, 2, 3, 4):
        at = [a.judged.answer_right for a in attempts if a.told.level == level]
        lines.append(f"| pass@1, level {level} | {_share(sum(at), len(at))} |")
    lines += [
        f"| problems with some but not all right | {_share(mixed, figures.problems)} |",
        f"| traces that end in an answer | {_share(sum(a.finished for a in attempts), total)} |",
        f"| traces with a wrong step | {_share(len(wrong), total)} |",
        f"| of these, right answer | {_share(len(recovered), len(wrong))} |",
        f"| of these, after a correction | {_share(len(corrected), len(wrong))} |",
        f"| first errors in the fullest decile | {_share(max(deciles.values()), len(wrong))} |",
        f"| MC > 0 before the first error | {_positive(figures.before)} |",
        f"| MC > 0 after the first error | {_positive(figures.after)} |",
        f"| mean MC before, after | {_mean(figures.before):.2f}, {_mean(figures.after):.3f} |",
        "",
        "Right answers of " + str(samples) + " (problems):",
        "",
        histogram([(str(n), figures.hits.count(n)) for n in range(samples + 1)]),
        "",
        "First errors by their place in the trace:",
        "",
        histogram([(f"{n / 10:.1f}", deciles[n]) for n in range(10)]),
        "",
        "First errors by kind:",
        "",
        histogram([(str(kind), count) for kind, count in kinds.most_common()]),
    ]
    return "\n".join(lines)


def histogram(bars: list[tuple[str, int]], width: int = 50) -> str:
    most = max(1, *(count for _, count in bars)) if bars else 1
    label = max((len(name) for name, _ in bars), default=0)
    drawn = [f"{name:>{label}} {'█' * round(width * n / most)} {n}" for name, n in bars]
    return "\n".join(["```", *drawn, "```"])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


def _positive(values: list[float]) -> str:
    return _share(sum(value > 0 for value in values), len(values))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


if __name__ == "__main__":
    main()
