"""`prmdata methods`, `formats`, `sources`: what there is; with a name, all about one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.terminal import print_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prmdata.labellers import Method

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="One of them, to describe in full.")
]
STEPS, TOKENS = 10, 300


def methods(name: Name = None) -> None:
    """List the labelling methods, verifiers, ways of judging and forms of credit, or describe one.

    $ prmdata methods
    $ prmdata methods bisect
    """
    from prmdata.cli.shared import pages
    from prmdata.corrections import CORRECTIONS
    from prmdata.credit import FORMS
    from prmdata.errors import unknown
    from prmdata.judges import JUDGES
    from prmdata.labellers import LABELLERS, methods_of
    from prmdata.verifiers import VERIFIERS

    if name is not None:
        if name in LABELLERS:
            _describe_method(name, LABELLERS[name])
        elif name in VERIFIERS:
            command = f"prmdata verify traces.jsonl --with {name}{{set}} -o verified.jsonl"
            title = f"{name}: a verifier (prmdata verify --with {name})"
            _print(pages.page(VERIFIERS[name], title, ["Cost: no tokens."], command))
        elif name in JUDGES:
            command = f"prmdata judge traces.jsonl --with {name}{{set}} -o judged.jsonl"
            title = f"{name}: a way of judging (prmdata judge --with {name})"
            _print(
                pages.page(JUDGES[name], title, ["Cost: what the judge reads and writes."], command)
            )
        elif name in FORMS:
            command = f"prmdata credit valued.jsonl --form {name}{{set}} -o credited.jsonl"
            title = f"{name}: a form of credit (prmdata credit --form {name})"
            _print(pages.page(FORMS[name], title, ["Cost: no tokens."], command))
        elif name in CORRECTIONS:
            command = f"prmdata {name} labelled.jsonl{{set}} -o corrected.jsonl"
            title = f"{name}: a correction (prmdata {name})"
            _print(pages.page(CORRECTIONS[name], title, [], command))
        else:
            known = [*LABELLERS, *VERIFIERS, *JUDGES, *FORMS, *CORRECTIONS]
            raise unknown("method, verifier, way of judging, form or correction", name, known)
        return
    for verb in ("label", "estimate"):
        print_line(f"prmdata {verb} --method NAME")
        rows = [
            (entry, _tokens(kind), ", ".join(kind.needs) or "-", pages.summary_of(kind))
            for entry, kind in sorted(methods_of(verb).items())
        ]
        _print(pages.table(rows, ("NAME", "TOKENS", "NEEDS", "WHAT IT DOES")))
        print_line("")
    print_line("prmdata verify --with NAME,…")
    tools = [(entry, pages.summary_of(kind)) for entry, kind in sorted(VERIFIERS.items())]
    _print(pages.table(tools, ("NAME", "WHAT IT DOES")))
    print_line("\nprmdata judge --with NAME")
    ways = [(entry, pages.summary_of(kind)) for entry, kind in sorted(JUDGES.items())]
    _print(pages.table(ways, ("NAME", "WHAT IT DOES")))
    print_line("\nprmdata credit --form NAME")
    forms = [(entry, pages.summary_of(kind)) for entry, kind in sorted(FORMS.items())]
    _print(pages.table(forms, ("NAME", "WHAT IT GIVES")))
    print_line("\nprmdata NAME")
    corrections = [(entry, pages.summary_of(kind)) for entry, kind in sorted(CORRECTIONS.items())]
    _print(pages.table(corrections, ("NAME", "WHAT IT WRITES")))
    print_line(
        f"\nTOKENS: forecast for a trace of {STEPS} steps and {TOKENS} tokens that ends wrong.\n"
        "All about one, with its settings: prmdata methods NAME"
    )


def formats(name: Name = None) -> None:
    """List the export formats, or describe one.

    $ prmdata formats
    $ prmdata formats stepwise
    """
    from prmdata.cli.shared import pages
    from prmdata.exports import FORMATS

    if name is not None:
        kind = FORMATS[name]
        title = f"{name}: a format (prmdata export --to {name})"
        command = f"prmdata export labelled.jsonl --to {name}{{set}} -o dataset"
        _print(pages.page(kind, title, [], command))
        return
    print_line("prmdata export --to NAME")
    rows = [(entry, pages.summary_of(kind)) for entry, kind in sorted(FORMATS.items())]
    _print(pages.table(rows, ("NAME", "WHAT IT WRITES")))
    print_line("\nAll about one, with its settings: prmdata formats NAME")


def sources(name: Name = None) -> None:
    """List where problems, traces and answers of tools can come from, or describe one.

    One name may be several: a source of problems, and what answers their agents.

    $ prmdata sources
    $ prmdata sources prm800k
    """
    from prmdata.cli.shared import pages
    from prmdata.environments import ENVIRONMENTS
    from prmdata.errors import unknown
    from prmdata.imports import IMPORTS
    from prmdata.problems import LAYOUTS, SOURCES

    if name is not None:
        if not any(name in table for table in (SOURCES, LAYOUTS, IMPORTS, ENVIRONMENTS)):
            known = [*SOURCES, *LAYOUTS, *IMPORTS, *ENVIRONMENTS]
            raise unknown("source, layout or environment", name, known)
        if name in SOURCES:
            print_line(SOURCES[name][1])
        if name in LAYOUTS:
            print_line(f"{name}: a layout of problems, with the columns {LAYOUTS[name].help}")
            print_line(
                f"Example:\n  $ prmdata generate problems.jsonl --layout {name} -o traces.jsonl"
            )
        if name in IMPORTS:
            title = f"{name}: a layout of traces (prmdata import --from {name})"
            command = f"prmdata import rows.jsonl --from {name}{{set}} -o traces.jsonl"
            _print(pages.page(IMPORTS[name], title, [], command))
        if name in ENVIRONMENTS:
            title = f"{name}: an environment (--environment {name})"
            command = f"prmdata generate problems.jsonl --environment {name} -o traces.jsonl"
            option = "--environment-arg"
            _print(pages.page(ENVIRONMENTS[name], title, [], command, option))
        return
    print_line("prmdata generate SOURCE")
    for _, line in SOURCES.values():
        print_line(f"  {line}")
    print_line(
        "  FILE or FOLDER  .jsonl, .json (an array), .csv, .tsv [.gz|.zst] or .parquet, recognised"
        "\n                  by its columns, or named with --layout:"
    )
    rows = [(f"  {entry}", layout.help) for entry, layout in LAYOUTS.items()]
    _print(pages.table(rows, ("  NAME", "COLUMNS")))
    print_line("\nprmdata import FILE --from NAME")
    rows = [(entry, pages.summary_of(kind)) for entry, kind in sorted(IMPORTS.items())]
    _print(pages.table(rows, ("NAME", "WHAT IT READS")))
    print_line("\nprmdata generate SOURCE --environment NAME")
    rows = [(entry, pages.summary_of(kind)) for entry, kind in sorted(ENVIRONMENTS.items())]
    _print(pages.table(rows, ("NAME", "WHAT ANSWERS")))
    print_line("\nAll about one, with its settings: prmdata sources NAME")


def _describe_method(name: str, kind: type[Method]) -> None:
    from prmdata.cli.shared import pages

    facts = [
        f"Cost: {_tokens(kind, ' tokens')}, for a trace of {STEPS} steps and {TOKENS} tokens that "
        "ends wrong.",
        f"Needs: {', '.join(kind.needs) or 'nothing but the traces'}.",
    ]
    output = "labelled.jsonl" if kind.verb == "label" else "valued.jsonl"
    command = f"prmdata {kind.verb} traces.jsonl --method {name}{{set}} -o {output}"
    title = f"{name}: a method of prmdata {kind.verb} (--method {name})"
    _print(pages.page(kind, title, facts, command))


def _tokens(kind: type[Method], unit: str = "") -> str:
    """What the method itself forecasts, with its default settings."""
    from prmdata.records import Origin, Problem, Step, Tally, Trace

    trace = Trace(
        id="p/0",
        problem=Problem("p", "?", "1"),
        steps=(Step("x" * (4 * TOKENS // STEPS)),) * STEPS,
        answer="2",
        correct=False,
        origin=Origin(tokens=TOKENS),
        group=Tally(n=8, right=4, wrong=4),
    )
    try:
        cost = kind().forecast(trace)
        read = f" + {cost.scored:,} read" if cost.scored else ""
        return f"{cost.tokens:,}{unit}{read}"
    except TypeError:  # a setting of it has no default
        return f"?{unit}"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print_line(line)
