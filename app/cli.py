"""The command line: `habena` and its commands. Thin: parses, calls, prints.

Exit status 0, or 2 with one line on stderr for bad input or usage, 130 when cancelled.
"""

from __future__ import annotations

import io
import os
import re
import sys
import warnings

# An OpenBLAS worker spins for a while after each call and takes a core from whoever comes next;
# this sends it to sleep at once. It must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from .console import Progress, print_json, print_text, print_warnings
from .problems import Cancelled, Problem

BAD_INPUT = 2
CANCELLED = 130
LAYOUTS = ("ortho", "axial", "coronal", "sagittal", "lightbox", "surface")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and end the process."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for programmers; users get findings
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # programs that read along expect UTF-8, whatever the locale; a terminal shows what it can
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    status = run(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written and closed; taking VTK and Qt apart object by object would be a fifth of a second more.
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status.
    """
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first not in habena.commands and not {"--help", "--version"}.intersection(arguments[:1]):
        arguments = ["open", *arguments]  # a command name wins over a file of that name
    try:
        _refuse_what_is_no_text(arguments)
        # not through click's `main`, which ends the process with status 1 when the reader has gone
        with habena.make_context("habena", list(arguments)) as context:
            status = habena.invoke(context)
    except click.exceptions.Exit as done:  # --help, --version
        return done.exit_code
    except (Problem, MemoryError, click.ClickException) as error:
        return _refuse(error)
    except (Cancelled, KeyboardInterrupt, click.Abort):
        return CANCELLED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - the reader has gone: nobody to tell at exit either
        return 0
    return status if isinstance(status, int) else 0


def _refuse_what_is_no_text(arguments: list[str]) -> None:
    """Names of files may be any bytes, but records, saved views and JSON are UTF-8."""
    for word in arguments:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            shown = word.encode(errors="replace").decode()
            raise Problem(shown, "is not UTF-8", "rename the file") from error


def _refuse(error: Problem | MemoryError | click.ClickException) -> int:
    match error:
        case click.ClickException():
            message = f"{_where(error)}: {error.format_message().rstrip('.')}; see habena --help"
        case MemoryError():
            message = "memory: there is too little for this; close other programs, or ask for less"
        case _:
            message = str(error)
    print("habena: " + " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _where(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    name = context.info_name if context is not None and context.info_name != "habena" else None
    return name or "command line"


def _numbers(count: int, form: str) -> Callable[[click.Context, click.Parameter, str | None], Any]:
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


def _pixels(context: click.Context, option: click.Parameter, text: str) -> tuple[int, int]:
    del context, option
    if not (match := re.fullmatch(r"(\d{1,9})x(\d{1,9})", text.lower())):
        raise Problem("--size", f"'{text}' is not WxH in pixels", "write --size 1200x900")
    return int(match[1]), int(match[2])


def _output(context: click.Context, option: click.Parameter, path: str | None) -> str:
    del option
    if not path:
        raise Problem(context.info_name or "output", "no output is named", "add -o FILE")
    return path


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
@click.version_option(package_name="habena", message="habena %(version)s")
def habena() -> None:
    """Brain-map viewer for PET and fMRI.

    `habena FILE...` opens the window; the commands work without one.
    """


@habena.command("open", hidden=True)
@click.argument("paths", nargs=-1)
def open_window(paths: tuple[str, ...]) -> int:
    """Open the window on images, surfaces, folders or a saved view."""
    from .main import show  # noqa: PLC0415 - Qt only for the window

    return show(list(paths))


@habena.command()
@click.argument("files", nargs=-1, required=True)
@as_json
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Tell format, size, orientation, space, timing and everything odd about files."""
    from .io.info import describe, file_findings, file_info  # noqa: PLC0415

    entries = [file_info(path) for path in files]
    if as_json:
        print_json({"files": entries, "warnings": file_findings(entries)})
    else:
        print_text("\n\n".join(describe(entry) for entry in entries))


@habena.command()
@as_json
def doctor(as_json: bool) -> None:
    """Print versions, graphics, fonts, memory and threads, and how to install what is missing."""
    from .doctor import examine, in_words  # noqa: PLC0415

    report = examine()
    if as_json:
        print_json(report)
    else:
        print_text(in_words(report))


@habena.command()
@click.argument("underlay", required=False)
@click.option("-o", "--output", "out", callback=_output, help="Picture: .png .tif .svg .pdf .html")
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    metavar="FILE[,OPTIONS]",
    help="With ,cmap=NAME ,range=LO:HI ,threshold=T ,opacity=O ,fade; may be repeated.",
)
@click.option("--layout", type=click.Choice(LAYOUTS), help="Default: that of the saved view, else ortho, or surface.")
@click.option("--at", callback=_numbers(3, "X,Y,Z"), help="X,Y,Z in mm; default: the peak of the first overlay.")
@click.option("--size", default="1200x900", callback=_pixels, show_default=True, help="WxH in pixels.")
@click.option("--dpi", type=float, default=100.0, show_default=True)
@click.option("--radiological", is_flag=True, help="The person's right on the left; default: left is left.")
@click.option("--with-view", is_flag=True, help="Carry the view, file names included, so that it can be opened again.")
@as_json
def render(
    underlay: str | None,
    out: str,
    overlays: tuple[str, ...],
    layout: Any,
    at: tuple[float, float, float] | None,
    size: tuple[int, int],
    dpi: float,
    radiological: bool,
    with_view: bool,
    as_json: bool,
) -> None:
    """Draw an image, a saved view or a picture that carries one, as the window shows it.

    Without UNDERLAY overlays are drawn on the MNI152 T1.
    """
    from . import headless  # noqa: PLC0415
    from .overlay_options import parse_overlay  # noqa: PLC0415

    options = headless.RenderOptions(layout, at, size, dpi, radiological)
    parsed = [parse_overlay(text) for text in overlays]
    with Progress("Reading") as report:
        findings = headless.render(underlay, out, parsed, options, with_view=with_view, report=report)
    if as_json:
        print_json({"file": out, "size": size, "warnings": findings})
    else:
        print_warnings(findings)


@habena.command()
@click.argument("run")
@click.option("-o", "--output", "out", callback=_output, help="Map to write: .nii.gz or .nii")
@click.option("--at", callback=_numbers(3, "X,Y,Z"), help="Seed at X,Y,Z in mm: nearest voxel.")
@click.option("--radius", type=float, default=0.0, help="Sphere of this many mm round it.")
@click.option("--region", help="Seed region, as `habena regions` lists them.")
@click.option("--atlas", help="Atlas of the region.")
@click.option("--mask", help="Seed mask.")
@click.option("--drop", type=int, default=0, help="Leading volumes to leave out.")
@click.option("--fwhm", type=float, default=0.0, help="Gaussian smoothing, mm.")
@click.option("--detrend", type=int, default=0, help="Remove polynomials of order 0 to this.")
@click.option("--band", callback=_numbers(2, "LO,HI"), help="Pass band LO,HI in Hz, edges included.")
@click.option("--confounds", help="Table of confounds (TSV).")
@click.option("--columns", help="Its columns to remove, a,b; or strategies such as motion24.")
@click.option("--censor", type=float, help="Censor volumes that moved more than this, mm.")
@click.option("--brain", help="Brain mask.")
@click.option("--fisher", is_flag=True, help="Write Fisher z instead of r.")
@click.option("--save-prepared", help="Also write the prepared run.")
@as_json
def seed(
    run: str,
    out: str,
    at: tuple[float, float, float] | None,
    radius: float,
    region: str | None,
    atlas: str | None,
    mask: str | None,
    drop: int,
    fwhm: float,
    detrend: int,
    band: tuple[float, float] | None,
    confounds: str | None,
    columns: str | None,
    censor: float | None,
    brain: str | None,
    fisher: bool,
    save_prepared: str | None,
    as_json: bool,
) -> None:
    """Correlate a seed's series with every voxel's.

    Order: drop, smooth, then one projection of drift, confounds, frequencies outside the band and censored volumes.
    """
    from . import seeding  # noqa: PLC0415
    from .recipes import Preparation  # noqa: PLC0415
    from .runs import columns_named  # noqa: PLC0415

    removed = columns_named(confounds, columns)
    preparation = Preparation(drop, fwhm, detrend, band, confounds, removed, censor, brain)
    place = seeding.SeedPlace(at, radius, region, atlas, mask)
    with Progress("Preparing") as report:
        files = seeding.SeedFiles(out, save_prepared)
        found = seeding.seed(run, place, preparation, "z" if fisher else "r", files, report)
    if as_json:
        print_json({"map": out, **found.notes, "warnings": found.findings})
    else:
        print_warnings(found.findings)
        df = found.notes["residual_degrees_of_freedom"]
        print_text(f"{out}: {found.notes['measure']}, {found.notes['brain_voxels']} voxels, {df} degrees of freedom")


@habena.command()
@click.argument("maps", nargs=-1)
@click.option("--atlas", help="One atlas; default: all, or with maps aal2.")
@click.option("-o", "--output", "out", help="Write a TSV instead.")
@as_json
def regions(maps: tuple[str, ...], atlas: str | None, out: str | None, as_json: bool) -> None:
    """List the regions that --region knows; with MAPS, what these are within each region."""
    from .outputs import refuse_place  # noqa: PLC0415
    from .region_tables import listing, statistics  # noqa: PLC0415

    if out is not None:
        refuse_place(Path(out), map(Path, maps))
    with Progress("Reading atlases") as report:
        table = statistics(maps, atlas or "aal2", report) if maps else listing(atlas, report)
    if out is not None:
        table.write(out)
    if as_json:
        print_json(table.document())
        return
    print_warnings(table.findings)
    if out is None:
        print_text(table.text())


@habena.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the sample's run and its picture.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Of the simulation.")
@click.option("--effect", type=float, default=1.0, show_default=True, help="0 is noise alone.")
@click.option("--size", type=click.Choice(("small", "full")), default="small", show_default=True)
def demo(out: Path | None, seed: int, effect: float, size: str) -> int:
    """Open the sample view; without a display, draw it into a file and say where."""
    from .demo import demonstrate  # noqa: PLC0415

    return demonstrate(out, seed, effect, size)
