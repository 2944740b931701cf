"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import click

from ..problems import Problem
from ..recipes import Preparation


def numbers(count: int, form: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Callback for an option of comma-separated numbers."""

    def parse(context: click.Context, option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
        del context
        if text is None:
            return None
        try:
            values = tuple(float(part) for part in text.split(","))
        except ValueError:
            values = ()
        if len(values) != count or not all(abs(value) < float("inf") for value in values):
            raise Problem(option.opts[0], f"'{text}' is not {form}", f"write {option.opts[0]} {form}")
        return values

    return parse


def pixels(context: click.Context, option: click.Parameter, text: str) -> tuple[int, int]:
    """Callback for a size in pixels."""
    del context, option
    if not (match := re.fullmatch(r"(\d{1,9})x(\d{1,9})", text.lower())):
        raise Problem("--size", f"'{text}' is not WxH in pixels", "write --size 1200x900")
    return int(match[1]), int(match[2])


def output(context: click.Context, option: click.Parameter, path: str | None) -> str:
    """Callback for the place of a result, which must be named."""
    del option
    if not path:
        raise Problem(context.info_name or "output", "no output is named", "add -o FILE")
    return path


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")

_PREPARATION = (
    click.option("--drop", type=int, default=0, metavar="N", help="Leading volumes to leave out."),
    click.option(
        "--fwhm", type=float, default=0.0, metavar="MM", help="Gaussian smoothing, full width at half height."
    ),
    click.option("--detrend", type=int, default=0, metavar="N", help="Remove polynomials of order 0 (the mean) to N."),
    click.option("--band", callback=numbers(2, "LO,HI"), metavar="LO,HI", help="Pass band in Hz, edges included."),
    click.option("--confounds", metavar="TSV", help="Table of confounds, a row per volume."),
    click.option("--columns", metavar="A,B", help="Its columns to remove; or strategies such as motion24."),
    click.option("--censor", type=float, metavar="MM", help="Censor volumes of a larger framewise displacement."),
    click.option("--brain", metavar="FILE", help="Brain mask; default: what varies, or an automatic mask."),
)
_PLACE = (
    click.option("--at", callback=numbers(3, "X,Y,Z"), metavar="X,Y,Z", help="Seed in mm: the nearest voxel."),
    click.option("--radius", type=float, default=0.0, metavar="MM", help="Sphere round it."),
    click.option("--region", metavar="NAME", help="Seed region, as `habena regions` lists them."),
    click.option("--atlas", metavar="A", help="Atlas of the region."),
    click.option("--mask", metavar="FILE", help="Seed mask."),
)
Command = Callable[..., Any]


def preparation_options(command: Command) -> Command:
    """What is done to a run before it is correlated, as the argument ``preparation``."""

    @functools.wraps(command)
    def prepared(*args: Any, **options: Any) -> Any:
        from ..runs import columns_named  # noqa: PLC0415

        given = {name: options.pop(name) for name in ("drop", "fwhm", "detrend", "band", "confounds", "columns")}
        removed = columns_named(given["confounds"], given["columns"])
        preparation = Preparation(
            given["drop"],
            given["fwhm"],
            given["detrend"],
            given["band"],
            given["confounds"],
            removed,
            options.pop("censor"),
            options.pop("brain"),
        )
        return command(*args, preparation=preparation, **options)

    return _with(_PREPARATION, prepared)


def place_options(command: Command) -> Command:
    """Where a seed is, as the argument ``place``."""

    @functools.wraps(command)
    def placed(*args: Any, **options: Any) -> Any:
        from ..seeding import SeedPlace  # noqa: PLC0415

        place = SeedPlace(*(options.pop(name) for name in ("at", "radius", "region", "atlas", "mask")))
        return command(*args, place=place, **options)

    return _with(_PLACE, placed)


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
