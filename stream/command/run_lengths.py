"""``driftline arl`` and ``driftline design``: how long a chart runs between false alarms, and which chart runs that long.

Independent values of mean ``--shift`` and sd 1, update then compare, the alarming value counts; two-sided, from zero, EWMA limits
asymptotic, unless told otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import typer

from detectors.run_lengths import cusum, design, ewma
from stream.command.options import AsJson
from stream.command.printing import print_json, print_lines

#: From here on a number is written with an exponent.
LONG = 1e12

arl_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
design_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Slack = Annotated[float, typer.Option("--k", help="Slack, in sd.")]
Limit = Annotated[float, typer.Option("--h", help="Limit, in sd.")]
Weight = Annotated[float, typer.Option("--lambda", help="Weight of the newest value, above 0 and at most 1.")]
Width = Annotated[float, typer.Option("--width", help="Width of the limits, in sd of the statistic.")]
Shift = Annotated[float, typer.Option("--shift", help="Mean of the values, in sd.")]
Arl0 = Annotated[float, typer.Option("--arl0", help="Mean number of values between false alarms.")]
OneSided = Annotated[bool, typer.Option("--one-sided", help="Watch for a rise only.")]
TimeVarying = Annotated[bool, typer.Option("--time-varying", help="Limits that grow with the chart's age.")]
HeadStart = Annotated[float, typer.Option("--head-start", help="Where the statistic begins, in sd.")]
HeadStartShare = Annotated[
    float, typer.Option("--head-start", help="Where the statistic begins, a share of the limit.")
]


@arl_app.callback()
def _arl() -> None:
    """The average run length of a chart."""


@design_app.callback()
def _design() -> None:
    """The chart that has an average run length."""


@arl_app.command("cusum")
def arl_cusum(
    *,
    k: Slack = 0.5,
    h: Limit = 5.0,
    shift: Shift = 0.0,
    head_start: HeadStart = 0.0,
    one_sided: OneSided = False,
    as_json: AsJson = False,
) -> None:
    """Mean number of values until a CUSUM of slack k exceeds h."""
    _finite(k=k, h=h, shift=shift, head_start=head_start)
    _positive(h=h)
    run_of = cusum.one_sided if one_sided else cusum.two_sided
    _say("arl", lambda: run_of(k, h, shift, head_start=head_start), as_json=as_json)


@arl_app.command("ewma")
def arl_ewma(
    *,
    weight: Weight = 0.1,
    width: Width = 2.814,
    shift: Shift = 0.0,
    head_start: HeadStart = 0.0,
    one_sided: OneSided = False,
    time_varying: TimeVarying = False,
    as_json: AsJson = False,
) -> None:
    """Mean number of values until an EWMA is beyond its limits."""
    _finite(**{"lambda": weight}, width=width, shift=shift, head_start=head_start)
    _positive(width=width)
    if time_varying:
        _alone("--time-varying", {"--one-sided": one_sided, "--head-start": head_start != 0.0})
        _say("arl", lambda: ewma.time_varying(weight, width, shift), as_json=as_json)
    else:
        run_of = ewma.one_sided if one_sided else ewma.two_sided
        _say("arl", lambda: run_of(weight, width, shift, head_start=head_start), as_json=as_json)


@design_app.command("cusum")
def design_cusum(
    *,
    arl0: Arl0,
    k: Slack = 0.5,
    head_start: HeadStartShare = 0.0,
    one_sided: OneSided = False,
    as_json: AsJson = False,
) -> None:
    """The limit h of a CUSUM of slack k that runs arl0 values between false alarms."""
    _finite(arl0=arl0, k=k, head_start=head_start)
    limit_of = design.cusum_limit_one_sided if one_sided else design.cusum_limit
    _say("h", lambda: limit_of(arl0, k, head_start=head_start), as_json=as_json)


@design_app.command("ewma")
def design_ewma(
    *,
    arl0: Arl0,
    weight: Weight = 0.1,
    one_sided: OneSided = False,
    time_varying: TimeVarying = False,
    as_json: AsJson = False,
) -> None:
    """The width of an EWMA that runs arl0 values between false alarms."""
    _finite(arl0=arl0, **{"lambda": weight})
    if time_varying:
        _alone("--time-varying", {"--one-sided": one_sided})
        _say("width", lambda: design.ewma_width_time_varying(arl0, weight), as_json=as_json)
    else:
        width_of = design.ewma_width_one_sided if one_sided else design.ewma_width
        _say("width", lambda: width_of(arl0, weight), as_json=as_json)


def _say(name: str, found: Callable[[], float], *, as_json: bool) -> None:
    try:
        value = found()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not math.isfinite(value):
        raise typer.BadParameter("a run of more than 1e300 values: a chart of these limits never alarms")
    if as_json:
        print_json({name: value})
    else:
        print_lines([f"{name} {value:,.4f}" if value < LONG else f"{name} {value:.6g}"])


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise typer.BadParameter(f"--{name.replace('_', '-')} {value} is not a finite number")


def _positive(**values: float) -> None:
    for name, value in values.items():
        if value <= 0.0:
            raise typer.BadParameter(f"--{name} {value:g} is not above 0")


def _alone(name: str, others: dict[str, bool]) -> None:
    """A chart for which there is no equation here is refused, not answered with another's."""
    for other, given in others.items():
        if given:
            raise typer.BadParameter(f"{name} and {other} do not go together: leave one out")
