"""`prmdata methods`, `formats`, `sources`: what there is, with one line and the settings each."""

from __future__ import annotations

from collections.abc import Mapping


def methods() -> None:
    """List the labelling methods and the verifiers with their settings."""
    from prmdata.labellers import methods_of
    from prmdata.verifiers import VERIFIERS

    for verb in ("estimate", "label"):
        print(f"prmdata {verb} --method …")
        _print(methods_of(verb))
    print("prmdata verify --with …")
    _print(VERIFIERS)


def formats() -> None:
    """List the export formats with their settings."""
    from prmdata.exports import FORMATS

    print("prmdata export --to …")
    _print(FORMATS)


def sources() -> None:
    """List where problems and traces can come from, and the columns that are read."""
    from prmdata.imports import IMPORTS
    from prmdata.problems import LAYOUTS, SOURCES

    print("prmdata generate SOURCE")

    for _, line in SOURCES.values():
        print(f"  {line}")
    print(
        "  FILE or FOLDER  .jsonl, .json (an array), .csv, .tsv [.gz|.zst] or .parquet, recognised"
    )
    print("                  by its columns:")
    for name, layout in LAYOUTS.items():
        print(f"    {name:<9} {layout.help}")
    print("prmdata import --from …")
    _print(IMPORTS)


def _print(table: Mapping[str, type]) -> None:
    import inspect

    from prmdata.settings import describe

    width = max(10, *map(len, table))
    for name, kind in sorted(table.items()):
        said = inspect.getmodule(kind)
        line = (said.__doc__ or "" if said else "").strip().split("\n\n")[0].replace("\n", " ")
        print(f"  {name:<{width}} {line}")
        for setting, of, default in describe(kind):
            if setting == "fields":  # an option of its own
                continue
            print(f"  {'':<{width}}   --set {setting}={default or '…'}  ({of})")
