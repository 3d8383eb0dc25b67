"""What prmdata prints shows the text of others and is steered by none of it."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from prmdata import terminal

PACKAGE = Path(__file__).parent.parent / "prmdata"
PRINTERS = {
    "library/looking.py": "draws a trace into a text that it returns",
    "terminal.py": "cleans what it prints",
    "serving/launch.py": "writes the first line of a server's log, a file",
    "sampler/models/jinja_process.py": "answers by a pipe, in a process of its own",
}
SANDBOX = ("sandbox/harness.py", "sandbox/zygote.py")
"""They run in the sandbox or beside it: their streams are read by us, and shown cleaned."""

STEERING = [
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "over\rwritten",
    "back\b\b\bspace",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "line\u2028separator",
    "\x00nul",
    "\x7fdelete",
    "\ud800half",
    "\U000e0041\U000e0042tags",
    "\x84index\x85next",
]
STEERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
)


@pytest.mark.parametrize("text", STEERING)
def test_text_that_steers_is_shown_by_signs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for show in (terminal.say, terminal.print_line, terminal.print_error):
        show(text)
    shown = "".join(capsys.readouterr())
    assert not STEERS.search(shown)
    assert not re.search("[\U000e0000-\U000e007f]", shown)
    assert any(letter in shown for letter in re.findall("[a-z]+", text) or [""])


def test_lines_tabs_and_letters_of_all_scripts_are_left_as_they_are() -> None:
    text = "a\tb\nπ ≤ 4 · 答案 👩‍👩‍👧 שלום"
    assert terminal.visible(text) == text


def test_no_line_of_others_passes_for_a_line_of_news(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("a server says\nprmdata label: done")
    assert capsys.readouterr().err.splitlines()[1] == "  prmdata label: done"


@pytest.mark.parametrize(
    "text", [*STEERING, "[bold red]x[/]", "[link=http://evil]x", "[/]", ":bomb:"]
)
@pytest.mark.parametrize("place", ["line", "cell", "title", "text", "status"])
def test_a_console_reads_no_markup_and_passes_no_escape(text: str, place: str) -> None:
    out = io.StringIO()
    page = terminal.console(file=out, force_terminal=True, color_system="truecolor", width=200)
    table = Table(title=text if place == "title" else None)
    table.add_column(text)
    table.add_row(text)
    page.print({"cell": table, "title": table, "text": Text(text, "bold")}.get(place, text))
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())  # what rich itself puts around a style
    assert not STEERS.search(shown)
    assert "\x1b]8" not in out.getvalue()
    if text.startswith(("[", ":")):
        assert text in shown
        assert "31m" not in out.getvalue()


PRINTS = re.compile(
    r"print|input|Console|rich\.print|typer\.s?echo|click\.s?echo"
    r"|sys\.(__)?std(out|err)(__)?(\.buffer)?\.write(lines)?"
)


def prints(path: Path) -> set[str]:
    """The ways to print that a file uses; data goes out by a file that `open_stream` gives."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            to = ast.unparse(node.args[0]) if node.args else ""
            if PRINTS.fullmatch(name) or (name == "os.write" and to in ("1", "2")):
                found.add(name)
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_nothing_else_prints(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    if name in PRINTERS or name in SANDBOX:
        return
    assert prints(path) == set(), "print with prmdata.terminal"
