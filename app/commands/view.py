"""Commands that look: the window, what files are, what is missing, pictures, regions, the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..console import Progress, print_json, print_text, print_warnings
from .options import as_json, numbers, output, pixels

LAYOUTS = ("ortho", "axial", "coronal", "sagittal", "lightbox", "surface")


@click.command("open", hidden=True)
@click.argument("paths", nargs=-1)
def open_window(paths: tuple[str, ...]) -> int:
    """Open the window on images, surfaces, folders or a saved view."""
    from ..main import show  # noqa: PLC0415 - Qt only for the window

    return show(list(paths))


@click.command()
@click.argument("files", nargs=-1, required=True)
@as_json
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Tell format, size, orientation, space, timing and everything odd about files."""
    from ..io.info import describe, file_findings, file_info  # noqa: PLC0415

    entries = [file_info(path) for path in files]
    if as_json:
        print_json({"files": entries, "warnings": file_findings(entries)})
    else:
        print_text("\n\n".join(describe(entry) for entry in entries))


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Print versions, graphics, fonts, memory and threads, and how to install what is missing."""
    from ..doctor import examine, in_words  # noqa: PLC0415

    report = examine()
    if as_json:
        print_json(report)
    else:
        print_text(in_words(report))


@click.command()
@click.argument("underlay", required=False)
@click.option("-o", "--output", "out", callback=output, help="Picture: .png .tif .svg .pdf .html")
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    metavar="FILE[,OPTIONS]",
    help="With ,cmap=NAME ,range=LO:HI ,threshold=T ,opacity=O ,fade; may be repeated.",
)
@click.option("--layout", type=click.Choice(LAYOUTS), help="Default: that of the saved view, else ortho, or surface.")
@click.option("--at", callback=numbers(3, "X,Y,Z"), help="X,Y,Z in mm; default: the peak of the first overlay.")
@click.option("--size", default="1200x900", callback=pixels, show_default=True, help="WxH in pixels.")
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
    from .. import headless  # noqa: PLC0415
    from ..overlay_options import parse_overlay  # noqa: PLC0415

    options = headless.RenderOptions(layout, at, size, dpi, radiological)
    parsed = [parse_overlay(text) for text in overlays]
    with Progress("Reading") as report:
        findings = headless.render(underlay, out, parsed, options, with_view=with_view, report=report)
    if as_json:
        print_json({"file": out, "size": size, "warnings": findings})
    else:
        print_warnings(findings)


@click.command()
@click.argument("maps", nargs=-1)
@click.option("--atlas", help="One atlas; default: all, or with maps aal2.")
@click.option("-o", "--output", "out", help="Write a TSV instead.")
@as_json
def regions(maps: tuple[str, ...], atlas: str | None, out: str | None, as_json: bool) -> None:
    """List the regions that --region knows; with MAPS, what these are within each region."""
    from ..outputs import refuse_place  # noqa: PLC0415
    from ..region_tables import listing, statistics  # noqa: PLC0415

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


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the studies and a picture; new or empty.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Of the simulation.")
@click.option("--effect", type=float, default=1.0, show_default=True, help="Factor on what is planted; 0 is none.")
@click.option(
    "--size", type=click.Choice(("small", "full")), default="small", show_default=True, help="How many people."
)
def demo(out: Path | None, seed: int, effect: float, size: str) -> int:
    """Simulate three studies (once) and open them; without a display or with --out, draw a picture and say where."""
    from ..demo import demonstrate  # noqa: PLC0415

    return demonstrate(out, seed, effect, size)
