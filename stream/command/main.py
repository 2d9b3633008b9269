"""``driftline``: all commands, and the one place where errors become a line on standard error and an exit code.

======  =======================================================================================================
0       done
1       a failed check: nothing found, a service does not answer, what is stored cannot be read
2       wrong use: options, files or ``DRIFTLINE_…`` variables to correct
======  =======================================================================================================
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from schemas.errors import ConfigError, DriftlineError
from schemas.settings import strangers
from stream.command.by_name import CommandsByName

FAILED, WRONG_USE = 1, 2
EPILOG = (
    "Kafka and Redis are found by DRIFTLINE_KAFKA (host:port, default localhost:9092) and DRIFTLINE_REDIS "
    "(default redis://localhost:6379/0); DRIFTLINE_ENVIRONMENT prefixes topics and keys."
)

app = typer.Typer(
    name="driftline",
    cls=CommandsByName,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # so that lines of a docstring flow
    epilog=EPILOG,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"driftline {installed_version()}")
        raise typer.Exit


@app.callback()
def driftline(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Watch machine-learning models in production: exact counts of what they see, compared with what they were built on."""
    for said in strangers(os.environ):
        typer.echo(said, err=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; without ``arguments``, the process's own.  Ends by SystemExit, never with a traceback of our errors."""
    try:
        app(args=arguments, prog_name="driftline")
    except DriftlineError as error:
        print(error, file=sys.stderr)
        sys.exit(exit_code(error))
    except UnicodeEncodeError:
        given = next((word for word in arguments or sys.argv[1:] if not _is_text(word)), None)
        if given is None:
            raise
        print(f"{given!a} holds bytes that are no UTF-8: nothing is called so", file=sys.stderr)
        sys.exit(WRONG_USE)


def _is_text(word: str) -> bool:
    """Whether an argument could be read: a shell hands over any bytes, and those that are no text stand for themselves."""
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


def exit_code(error: DriftlineError) -> int:
    """2 for what a person has to correct, 1 for everything else."""
    return WRONG_USE if isinstance(error, ConfigError) else FAILED


def installed_version() -> str:
    """The installed distribution's version."""
    try:
        return version("driftline")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    main()
