"""`prmdata serve`."""

from __future__ import annotations

import sys
from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def serve(
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="abacus, a Hugging Face model folder, or a hub id."),
    ] = None,
    port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, max=65535, help="Default: any that is free."),
    ] = None,
    engine_arg: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--engine-arg",
            metavar="NAME=VALUE",
            help="Passed to vLLM's server, such as tensor_parallel_size=2, or host=0.0.0.0 "
            "for other machines to reach it.",
        ),
    ] = None,
    python: Annotated[
        str,
        typer.Option(
            envvar="PRMDATA_VLLM_PYTHON", help="An interpreter that has vLLM.", show_default=False
        ),
    ] = sys.executable,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it running once it answers.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="List the servers started from this folder.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop them, or the one at --port.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Serve a model with vLLM, for all stages of a pipe.

    Its address is printed as soon as it answers; stages find it in PRMDATA_SAMPLER:

    export PRMDATA_SAMPLER=$(prmdata serve abacus --detach)
    """
    from prmdata.errors import UsageError
    from prmdata.serving import Plan, foreground
    from prmdata.settings import pairs

    if status:
        print("\n".join(foreground.states(port)))
    elif stop:
        foreground.stop_all(port, quiet)
    elif model is None:
        raise UsageError("which model? prmdata serve MODEL; abacus is the one shipped with prmdata")
    else:
        plan = Plan.of(model, port, pairs(engine_arg or (), "--engine-arg"), python)
        foreground.serve(plan, detach=detach, quiet=quiet, ready=lambda url: print(url, flush=True))
