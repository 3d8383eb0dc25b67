"""The scores of each way to label, as a table: `python figures.py run --into README.md`."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

NAMES = {
    "hybrid": "`hybrid`: verdicts and outcome",
    "hybrid-0": "`hybrid`: verdicts alone (`beta=0`)",
    "tree": "`rollout-tree`, any hit",
    "tree-verdicts": "`rollout-tree` that verdicts steer, any hit",
    "bisect": "`bisect`, 8 a probe",
    "bisect-verdicts": "`bisect`, 8 a probe, believing verdicts",
    "posterior": "`posterior`",
    "posterior-verdicts": "`posterior` with verdicts",
}


def table(folder: Path) -> str:
    scores = {name: json.loads((folder / f"{name}.json").read_text()) for name in NAMES}
    some = scores["hybrid"]
    head = (
        f"{some['traces']} traces, {some['with_a_wrong_step']} of them with a wrong step.\n\n"
        "| labels | F1 of the first error | exact, where there is one | tokens a trace |\n"
        "|---|---|---|---|\n"
    )
    return head + "".join(row(NAMES[name], score) for name, score in scores.items())


def row(name: str, score: dict[str, Any]) -> str:
    f1, exact, tokens = score["f1"], score["exact_on_erroneous"], score["tokens_per_trace"]
    return f"| {name} | {f1:.3f} | {exact:.3f} | {tokens:.0f} |\n"


def sample(folder: Path) -> str:
    """The shortest conversation of more than one step that ends with one that the tool refutes."""
    import pyarrow.parquet as pq

    (path,) = sorted(folder.rglob("*.parquet"))
    rows = pq.read_table(path).to_pylist()
    fit = [r["conversation"] for r in rows if r["first_error"] >= 0 and r["rationale"] == "notes"]
    if not fit:
        return "none\n"
    turns = min(fit, key=lambda turns: (len(turns) < 5, sum(len(t["content"]) for t in turns)))
    return "".join(f"{turn['role']}:\n{turn['content']}\n" for turn in turns[1:])


def put(text: str, mark: str, made: str) -> str:
    start, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    pattern = f"(?s){re.escape(start)}.*?{re.escape(end)}"
    return re.sub(pattern, lambda _: f"{start}\n{made}{end}", text)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--into", type=Path, help="a file whose text between marks is replaced")
    asked = words.parse_args()
    made, shown = table(asked.folder), sample(asked.folder / "dataset")
    print(made, shown, sep="\n")
    if asked.into:
        text = put(asked.into.read_text(encoding="utf-8"), "figures", made)
        asked.into.write_text(put(text, "sample", f"```\n{shown}```\n"))


if __name__ == "__main__":
    main()
