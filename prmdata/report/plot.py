"""The reliability diagram of a score, as PNG, SVG or PDF."""

from __future__ import annotations

from pathlib import Path

from prmdata.errors import InputError, UsageError
from prmdata.files.paths import writing
from prmdata.report.calibration import calibration_error, reliability
from prmdata.report.score import Score

KINDS = (".png", ".svg", ".pdf")


def check_plot(path: str) -> None:
    """Before the work: whether a plot could be written there."""
    if Path(path).suffix not in KINDS:
        raise UsageError(f"--plot {path}: write a file that ends in {', '.join(KINDS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install 'prmdata[plots]'") from None


def plot_reliability(score: Score, path: str) -> None:
    from matplotlib.figure import Figure

    bins = reliability(score.confidences)
    if not bins:
        raise InputError("--plot: these labels carry no confidence; `posterior` gives one")
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
    most = max(b.traces for b in bins)
    axes.scatter(
        [b.confidence for b in bins],
        [b.exact for b in bins],
        s=[20 + 180 * b.traces / most for b in bins],
        color="tab:blue",
    )
    for b in bins:
        axes.annotate(
            f"{b.traces}", (b.confidence, b.exact), (6, -10), textcoords="offset points", fontsize=7
        )
    axes.set(
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        xlabel="confidence",
        ylabel="share of exact first errors",
        title=f"{len(score.confidences):,} traces, calibration error "
        f"{calibration_error(score.confidences):.3f}",
    )
    with writing(path):
        figure.savefig(path, dpi=150)
