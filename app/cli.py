"""The command line: `habena` and its commands. Thin: parses, calls, prints.

Exit status 0, or 2 with one line on stderr for bad input or usage, 130 when cancelled.
"""

from __future__ import annotations

import os
import sys

# An OpenBLAS worker spins for a while after each call and takes a core from whoever comes next;
# this sends it to sleep at once. It must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .console import Progress, print_json, print_text, print_warnings
from .problems import Cancelled, Problem

# The common base of the exceptions that typer raises for bad usage: its own or Click's, by version.
USAGE_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
BAD_INPUT = 2
CANCELLED = 130

application = typer.Typer(
    name="habena",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Brain-map viewer for PET and fMRI. `habena FILE...` opens the window; the commands work without one.",
)


@application.callback(invoke_without_command=True)
def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Options of the program itself."""
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415

        print_text(f"habena {version_of('habena')}")
        raise typer.Exit


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status.
    """
    command = typer.main.get_command(application)
    names = set(getattr(command, "commands", {}))
    first = next((word for word in arguments if not word.startswith("-")), None)
    if first not in names and not {"--help", "--version"}.intersection(arguments[:1]):
        arguments = ["open", *arguments]  # a command name wins over a file of that name
    try:
        status = command.main(args=arguments, prog_name="habena", standalone_mode=False)
    except typer.Exit as wanted:
        return wanted.exit_code
    except Problem as problem:
        return _refuse(str(problem))
    except USAGE_ERROR as error:
        return _refuse(f"{_where(error)}: {error.format_message()}; see habena --help")
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        return CANCELLED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone: nobody to tell
        return 0
    return status if isinstance(status, int) else 0


def _refuse(message: str) -> int:
    print("habena: " + " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _where(error: Any) -> str:
    context = error.ctx if hasattr(error, "ctx") else None
    name = context.info_name if context is not None and context.info_name != "habena" else None
    return name or "command line"


def _numbers(text: str, count: int, option: str, form: str) -> tuple[float, ...]:
    """Comma-separated numbers of an option."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count or not all(abs(value) < float("inf") for value in values):
        raise Problem(option, f"'{text}' is not {form}", f"write {option} {form}")
    return values


def _point(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    x, y, z = _numbers(text, 3, "--at", "X,Y,Z")
    return x, y, z


def _band(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, high = _numbers(text, 2, "--band", "LO,HI")
    return low, high


@application.command("open", hidden=True)
def open_window(
    paths: Annotated[list[str] | None, typer.Argument(help="Images, surfaces, folders or a saved view.")] = None,
) -> None:
    """Open the window."""
    from .main import show  # noqa: PLC0415 - Qt only for the window

    raise typer.Exit(show(paths or []))


@application.command()
def info(
    files: Annotated[list[str], typer.Argument(help="Images, surfaces or CIFTI files.")],
    as_json: Json = False,
) -> None:
    """Tell format, size, orientation, space, timing and everything odd about files."""
    from .io.info import describe, file_findings, file_info  # noqa: PLC0415

    entries = [file_info(path) for path in files]
    if as_json:
        print_json({"files": entries, "warnings": file_findings(entries)})
    else:
        print_text("\n\n".join(describe(entry) for entry in entries))


@application.command()
def doctor(as_json: Json = False) -> None:
    """Print versions, graphics, fonts, memory and threads, and what is missing with the command that installs it."""
    from .doctor import examine, in_words  # noqa: PLC0415

    report = examine()
    if as_json:
        print_json(report)
    else:
        print_text(in_words(report))


@application.command()
def render(
    underlay: Annotated[str | None, typer.Argument(help="Image, saved view, or picture that carries one.")] = None,
    out: Annotated[str, typer.Option("-o", "--output", help="Picture: .png .tif .svg .pdf .html")] = "",
    overlay: Annotated[
        list[str] | None,
        typer.Option(help="FILE[,cmap=NAME][,range=LO:HI][,threshold=T][,opacity=O][,fade]; may be repeated."),
    ] = None,
    layout: Annotated[str, typer.Option(help="ortho, axial, coronal, sagittal, lightbox or surface.")] = "ortho",
    at: Annotated[str | None, typer.Option(help="X,Y,Z in mm; default: the peak of the first overlay.")] = None,
    size: Annotated[str, typer.Option(help="WxH in pixels.")] = "1200x900",
    dpi: Annotated[float, typer.Option(help="Resolution written into the file.")] = 100.0,
    radiological: Annotated[bool, typer.Option("--radiological", help="The person's right on the left.")] = False,
    with_view: Annotated[bool, typer.Option("--with-view", help="Carry the view, file names included.")] = False,
    as_json: Json = False,
) -> None:
    """Draw images into a picture, as the window shows them."""
    from . import headless  # noqa: PLC0415

    if not out:
        raise Problem("render", "no output is named", "add -o PICTURE.png")
    options = headless.RenderOptions(
        _layout(layout),
        _point(at),
        _size(size),
        _dpi(dpi),
        radiological,
    )
    overlays = [headless.parse_overlay(text) for text in overlay or []]
    findings = headless.render(underlay, out, overlays, options, with_view=with_view)
    if as_json:
        print_json({"file": out, "size": options.size, "warnings": findings})
    else:
        print_warnings(findings)


def _layout(name: str) -> Any:
    layouts = ("ortho", "axial", "coronal", "sagittal", "lightbox", "surface")
    if name not in layouts:
        raise Problem("--layout", f"there is no layout {name}", f"choose from {', '.join(layouts)}")
    return name


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and 16 <= int(width) <= 16384 and 16 <= int(height) <= 16384):
        raise Problem("--size", f"'{text}' is not WxH in pixels from 16 to 16384", "write --size 1200x900")
    return int(width), int(height)


def _dpi(value: float) -> float:
    if not 10 <= value <= 2400:
        raise Problem("--dpi", f"{value:g} is no resolution", "give 10 to 2400")
    return value


@application.command()
def seed(
    run: Annotated[str, typer.Argument(help="4D run.")],
    out: Annotated[str, typer.Option("-o", "--output", help="Map to write: .nii.gz or .nii")] = "",
    at: Annotated[str | None, typer.Option(help="Seed at X,Y,Z in mm: nearest voxel.")] = None,
    radius: Annotated[float, typer.Option(help="Sphere: voxels whose centre lies within this many mm.")] = 0.0,
    region: Annotated[str | None, typer.Option(help="Seed region, as `habena regions` lists them.")] = None,
    atlas: Annotated[str | None, typer.Option(help="Atlas of the region.")] = None,
    mask: Annotated[str | None, typer.Option(help="Seed mask.")] = None,
    drop: Annotated[int, typer.Option(help="Leading volumes to leave out.")] = 0,
    fwhm: Annotated[float, typer.Option(help="Gaussian smoothing, mm full width at half maximum.")] = 0.0,
    detrend: Annotated[int, typer.Option(help="Remove polynomials of order 0 to this.")] = 0,
    band: Annotated[str | None, typer.Option(help="Pass band LO,HI in Hz, edges included.")] = None,
    confounds: Annotated[str | None, typer.Option(help="Table of confounds (TSV).")] = None,
    columns: Annotated[str | None, typer.Option(help="Its columns to remove, or strategies such as motion24.")] = None,
    censor: Annotated[float | None, typer.Option(help="Censor volumes with more framewise displacement, mm.")] = None,
    brain: Annotated[str | None, typer.Option(help="Brain mask.")] = None,
    fisher: Annotated[bool, typer.Option("--fisher", help="Write Fisher z instead of r.")] = False,
    save_prepared: Annotated[str | None, typer.Option(help="Also write the prepared run.")] = None,
    as_json: Json = False,
) -> None:
    """Correlate a seed's series with every voxel's."""
    from . import headless  # noqa: PLC0415
    from .recipes import Preparation  # noqa: PLC0415
    from .runs import columns_named  # noqa: PLC0415

    if not out:
        raise Problem("seed", "no output is named", "add -o MAP.nii.gz")
    if drop < 0 or fwhm < 0 or radius < 0 or detrend < 0:
        raise Problem("seed", "--drop, --fwhm, --radius and --detrend cannot be negative", "give 0 or more")
    preparation = Preparation(
        drop,
        fwhm,
        detrend,
        _band(band),
        confounds,
        columns_named(confounds, columns),
        censor,
        brain,
    )
    place = headless.SeedPlace(_point(at), radius, region, atlas, mask)
    with Progress("Preparing") as report:
        files = headless.SeedFiles(out, save_prepared)
        found = headless.seed(run, place, preparation, "z" if fisher else "r", files, report)
    if as_json:
        print_json({"map": out, **found.notes, "warnings": found.findings})
    else:
        print_warnings(found.findings)
        df = found.notes["residual_degrees_of_freedom"]
        print_text(f"{out}: {found.notes['measure']}, {found.notes['brain_voxels']} voxels, {df} degrees of freedom")


@application.command()
def regions(
    maps: Annotated[
        list[str] | None, typer.Argument(help="Maps to summarise by region; none lists the regions.")
    ] = None,
    atlas: Annotated[str | None, typer.Option(help="One atlas; default all (with maps: aal2).")] = None,
    out: Annotated[str | None, typer.Option("-o", "--output", help="TSV to write.")] = None,
    as_json: Json = False,
) -> None:
    """List the regions that --region knows, or summarise maps by region."""
    from .region_tables import listing, statistics  # noqa: PLC0415

    with Progress("Reading atlases") as report:
        table = statistics(maps, atlas or "aal2", report) if maps else listing(atlas, report)
    if out is not None:
        table.write(out)
    elif as_json:
        print_json(table.document())
    else:
        print_warnings(table.findings)
        print_text(table.text())


@application.command()
def demo(
    out: Annotated[str | None, typer.Option(help="Folder for the sample's files and its picture.")] = None,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 2026,
    effect: Annotated[float, typer.Option(help="Strength of the simulated networks; 0 is noise.")] = 1.0,
    size: Annotated[str, typer.Option(help="small or full.")] = "small",
) -> None:
    """Open the sample view; without a display, draw it into a file and say where."""
    from .demo import demonstrate  # noqa: PLC0415

    if size not in ("small", "full"):
        raise Problem("--size", f"'{size}' is no size of the sample", "write small or full")
    if not 0 <= effect <= 10 or seed < 0:
        raise Problem("demo", "--effect goes from 0 to 10 and --seed from 0", "give other numbers")
    raise typer.Exit(demonstrate(None if out is None else Path(out), seed, effect, size))
