"""`prmdata methods`, `formats`, `sources`: what there is, with one line and the settings each."""

from __future__ import annotations

from collections.abc import Mapping

from prmdata.terminal import print_line


def methods() -> None:
    """List the labelling methods and the verifiers with their settings."""
    from prmdata.labellers import methods_of
    from prmdata.verifiers import VERIFIERS

    for verb in ("estimate", "label"):
        print_line(f"prmdata {verb} --method …")
        _print(methods_of(verb))
    print_line("prmdata verify --with …")
    _print(VERIFIERS)


def formats() -> None:
    """List the export formats with their settings."""
    from prmdata.exports import FORMATS

    print_line("prmdata export --to …")
    _print(FORMATS)


def sources() -> None:
    """List where problems and traces can come from, and the columns that are read."""
    from prmdata.imports import IMPORTS
    from prmdata.problems import LAYOUTS, SOURCES

    print_line("prmdata generate SOURCE")

    for _, line in SOURCES.values():
        print_line(f"  {line}")
    print_line(
        "  FILE or FOLDER  .jsonl, .json (an array), .csv, .tsv [.gz|.zst] or .parquet, recognised"
    )
    print_line("                  by its columns:")
    for name, layout in LAYOUTS.items():
        print_line(f"    {name:<9} {layout.help}")
    print_line("prmdata import --from …")
    _print(IMPORTS)


def _print(table: Mapping[str, type]) -> None:
    import inspect

    from prmdata.settings import describe

    width = max(10, *map(len, table))
    for name, kind in sorted(table.items()):
        said = inspect.getmodule(kind)
        line = (said.__doc__ or "" if said else "").strip().split("\n\n")[0].replace("\n", " ")
        print_line(f"  {name:<{width}} {line}")
        for setting, of, default in describe(kind):
            if setting == "fields":  # an option of its own
                continue
            print_line(f"  {'':<{width}}   --set {setting}={default or '…'}  ({of})")
