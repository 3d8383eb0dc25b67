"""The main job on the embedded model or an agent, through the commands a user would type."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from prmdata import terminal
from prmdata.errors import PrmdataError
from prmdata.files import read_traces
from prmdata.report.choose import choose
from prmdata.report.score import score
from prmdata.report.show import render
from prmdata.terminal import say
from prmdata.truth import truth_of


@dataclass(frozen=True, slots=True)
class Show:
    """What is demonstrated, in words of the command line."""

    source: str
    owner: str
    world: str
    """Whose own truth the labels are measured against."""
    generating: tuple[str, ...]
    labelling: tuple[str, ...]
    to: str

    @classmethod
    def abacus(cls, problems: int) -> Show:
        return cls(f"abacus:{problems}", "abacus's", "abacus", (), (), "stepwise")

    @classmethod
    def agent(cls, problems: int) -> Show:
        model = ("--sampler", "abacus:agent")
        acting = ("--environment", "worlds", *model)
        how = ("--method", "bisect", *model)
        return cls(f"worlds:ledger:{problems}", "the world's", "worlds", acting, how, "messages")


def run_demo(show: Show, folder: str, samples: int, seed: int, *, overwrite: bool = False) -> None:
    console = terminal.console(soft_wrap=False)
    place = Path(folder)
    traces, labelled, dataset = place / "traces.jsonl", place / "labelled.jsonl", place / "dataset"
    report = place / "report.html"
    store = str(place / ".prmdata" / "store")
    again = ["--overwrite"] if overwrite else []
    run = ["--seed", str(seed), "--store", store, *again]
    asked = ("-n", str(samples), *show.generating, "-o", str(traces))
    _command("generate", show.source, *asked, *run)
    _command("label", str(traces), *show.labelling, "-o", str(labelled), *run)
    _command("export", str(labelled), "--to", show.to, "-o", str(dataset), *again)
    _command("report", str(labelled), "--truth", show.world, "-o", str(report), "-q")
    console.print()
    wrong = choose(str(labelled), id=None, wrong=True, random=False, count=1)
    console.print(render(wrong[0]))
    figures = score(read_traces(str(labelled)), lambda trace: truth_of(trace, show.world))
    first_error = figures["exact_on_erroneous"]
    console.print(
        f"First errors found exactly, by {show.owner} own truth: {first_error:.0%} of "
        f"{figures['with_a_wrong_step']:,} traces that have one, for "
        f"{figures['tokens']:,} generated tokens ({figures['tokens_per_trace']:,.0f} a trace)."
        if first_error is not None
        else "No trace has a wrong step."
    )
    console.print(f"Traces  {traces}\nLabels  {labelled}\nDataset {dataset}", highlight=False)
    console.print(f"Report  {report}: open it in a browser", highlight=False)
    console.print(
        f"Look at more: prmdata show {labelled} --wrong --random · "
        f"load it: datasets.load_dataset('{dataset}')",
        highlight=False,
    )


def _command(*words: str) -> None:
    say("$ prmdata " + " ".join(words))
    done = subprocess.run([sys.executable, "-m", "prmdata", *words], check=False)
    if done.returncode != 0:
        raise PrmdataError(f"`prmdata {words[0]}` failed (exit code {done.returncode})")
