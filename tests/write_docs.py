"""Writes what the documents take from the program: `make docs`.

The README gets what the demo says; the pages of methods, verifiers and formats get what
`prmdata methods NAME` and `prmdata formats NAME` say. With the word `pages`, the demo is not run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from prmdata.cli.catalog import formats, methods
from prmdata.corrections import CORRECTIONS
from prmdata.credit import FORMS
from prmdata.exports import FORMATS
from prmdata.labellers import LABELLERS, methods_of
from prmdata.settings import Setting, documented
from prmdata.verifiers import VERIFIERS

Command = Callable[[str], None]

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(?<=<!-- demo -->\n).*?(?=<!-- end of demo -->)", re.DOTALL)
GENERATED = re.compile(r"(<!-- generated: ([\w-]+) ([\w-]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
PROGRESS = re.compile(r"^\w+: [\d,]+(/[\d,]+)? \w+ · ")


def block(commands: str, shown: str) -> str:
    """What a terminal holds in the end: progress is gone by then."""
    news = [line for line in commands.splitlines() if not PROGRESS.match(line)]
    lines = [*news, *shown.rstrip().splitlines()]
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def pages() -> Iterator[tuple[Path, str]]:
    """Every page with generated parts, as it should be now."""
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if GENERATED.search(text):
            yield (
                path,
                GENERATED.sub(lambda found: f"{found[1]}\n{part(found[2], found[3])}\n", text),
            )


def part(table: str, name: str) -> str:
    if name == "all":
        return "\n".join(_overview(table)) + "\n"
    kinds: dict[str, type] = {
        "methods": LABELLERS,
        "verifiers": VERIFIERS,
        "formats": FORMATS,
        "forms": FORMS,
        "corrections": CORRECTIONS,
    }[table]
    command = formats if table == "formats" else methods
    return "\n".join(_entry(shown_by(command, name), documented(kinds[name]))) + "\n"


def shown_by(command: Command, name: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        command(name)
    return shown.getvalue()


def _overview(table: str) -> Iterator[str]:
    if table == "methods":
        for verb in ("label", "estimate"):
            yield f"| `prmdata {verb} --method` | needs | what it does |\n|---|---|---|"
            for name, kind in sorted(methods_of(verb).items()):
                needs = ", ".join(kind.needs) or "nothing"
                yield f"| [`{name}`]({name}.md) | {needs} | {_first(name, methods)} |"
            yield ""


def _first(name: str, command: Command) -> str:
    return " ".join(shown_by(command, name).split("\n\n")[1].split())


def _entry(page: str, settings: list[Setting]) -> Iterator[str]:
    """The page that the command shows, in Markdown, without the title."""
    before = re.split(r"^(?:Settings|Paper|Example):$", page, maxsplit=1, flags=re.MULTILINE)[0]
    for paragraph in before.split("\n\n")[1:]:
        facts = [line for line in paragraph.splitlines() if line.startswith(("Cost:", "Needs:"))]
        yield from (f"- {line}" for line in facts)
        yield from [] if facts else [" ".join(paragraph.split()), ""]
    yield ""
    if settings:
        yield "| setting | default | allowed | meaning |\n|---|---|---|---|"
        for setting in settings:
            text = _cell(" ".join(setting.text.split()))
            yield f"| `{setting.name}` | {_default(setting)} | {_cell(setting.allowed)} | {text} |"
        yield ""
    example = textwrap.dedent(page.split("\nExample:\n", 1)[1])
    yield f"```text\n{example.rstrip()}\n```"


def _default(setting: Setting) -> str:
    return f"`{_cell(setting.default)}`" if setting.default else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write_demo() -> None:
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [sys.executable, "-m", "prmdata", "demo"],
            cwd=place,
            env={**os.environ, "COLUMNS": "84"},
            capture_output=True,
            text=True,
            check=True,
        )
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: block(done.stderr, done.stdout), text), encoding="utf-8")


def main() -> None:
    for path, text in list(pages()):
        path.write_text(text, encoding="utf-8")
    if "pages" not in sys.argv[1:]:
        write_demo()


if __name__ == "__main__":
    main()
