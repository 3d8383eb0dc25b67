"""`prmdata serve`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.terminal import print_line


def serve(
    model: Annotated[
        str | None,
        typer.Argument(help="abacus, a Hugging Face model folder, or a hub id."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port to listen on, with --replicas the first of them. Default: a free one.",
        ),
    ] = None,
    engine_arg: Annotated[
        list[str] | None,
        typer.Option(
            "--engine-arg",
            metavar="NAME=VALUE",
            help="An argument for vLLM's server, such as tensor_parallel_size=2, or host=0.0.0.0 "
            "to let other machines reach it. Can be repeated.",
        ),
    ] = None,
    replicas: Annotated[
        int,
        typer.Option(
            min=1,
            help="Start this many servers, each on GPUs of its own; the printed sampler names all "
            "of them, and the requests of one trace stay with one.",
        ),
    ] = 1,
    python: Annotated[
        str,
        typer.Option(
            envvar="PRMDATA_VLLM_PYTHON",
            metavar="PATH",
            help="A Python interpreter that has vLLM. Default: this one.",
            show_default=False,
        ),
    ] = sys.executable,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the server answers, and leave it running.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="List the servers started from this folder.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop these servers, or only the one at --port.")
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Serve a model with vLLM, for all stages of a pipe.

    The address is printed as soon as the server answers; stages read it from PRMDATA_SAMPLER.

    $ export PRMDATA_SAMPLER=$(prmdata serve Qwen/Qwen3-8B --detach)
    $ export PRMDATA_SAMPLER=$(prmdata serve Qwen/Qwen3-8B --replicas 8 --detach)
    """
    from prmdata.errors import UsageError
    from prmdata.serving import Plan, foreground
    from prmdata.settings import pairs

    if status:
        print_line("\n".join(foreground.states(port)))
    elif stop:
        foreground.stop_all(port, quiet)
    elif model is None:
        raise UsageError(
            "name a model: prmdata serve MODEL; abacus is the one shipped with prmdata"
        )
    else:
        engine = pairs(engine_arg or (), "--engine-arg")
        plans = Plan.replicas(replicas, model, port, engine, python)
        foreground.serve(plans, detach=detach, quiet=quiet, ready=print_line)
