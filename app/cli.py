"""The command line: `habena` and its commands. Thin: parses, calls, prints.

Exit status 0, or 2 with one line on stderr for bad input or usage, 130 when cancelled.
"""

from __future__ import annotations

import io
import os
import sys
import warnings

# An OpenBLAS worker spins for a while after each call and takes a core from whoever comes next;
# this sends it to sleep at once. It must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

from importlib import import_module
from typing import NoReturn

import click

from .console import heed_interrupts, was_interrupted
from .problems import Cancelled, Problem

BAD_INPUT = 2
CANCELLED = 130
COMMANDS = {
    "open": ("view", "open_window"),
    "info": ("view", "info"),
    "render": ("view", "render"),
    "regions": ("view", "regions"),
    "seed": ("seed", "seed"),
    "group-seed": ("group_seed", "group_seed"),
    "degree": ("voxels", "degree"),
    "clustering": ("voxels", "clustering"),
    "graph": ("graph", "graph"),
    "model": ("model", "model"),
    "suvr": ("pet", "suvr"),
    "kinetics": ("pet", "kinetics"),
    "study": ("study", "study"),
    "ask": ("ask", "ask"),
    "demo": ("view", "demo"),
    "doctor": ("view", "doctor"),
}  # name: module in `commands`, function


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and end the process."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries warn of is for programmers; users get findings
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # programs that read along expect UTF-8, whatever the locale; a terminal shows what it can
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    heed_interrupts()
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
    if first not in COMMANDS and not {"--help", "--version"}.intersection(arguments[:1]):
        arguments = ["open", *arguments]  # a command name wins over a file of that name
    try:
        _refuse_what_is_no_text(arguments)
        # not through click's `main`, which ends the process with status 1 when the reader has gone
        with habena.make_context("habena", list(arguments)) as context:
            status = habena.invoke(context)
        if was_interrupted():
            return CANCELLED
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


class Commands(click.Group):
    """Commands that are imported when they are called: start-up time counts."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None when there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        return getattr(import_module(f".commands.{module}", __package__), name)


@click.group(cls=Commands)
@click.version_option(package_name="habena", message="habena %(version)s")
def habena() -> None:
    """Brain-map viewer for PET and fMRI.

    `habena FILE...` opens the window; the commands work without one.
    """
