"""The command `fwid`: its commands, and how it ends when something is wrong."""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from fwid_agent.cli import (
    backup,
    bench,
    compare,
    devices,
    export,
    identify,
    lab,
    pair,
    refine,
    replay,
    report,
    retrain,
    run,
    service,
)
from fwid_agent.cli.output import plain
from fwid_agent.errors import FwidError, UsageError

_PIPE_CLOSED = 128 + signal.SIGPIPE  # as a shell reports programs that the signal ends
_WRONG_USAGE: Any = typer.BadParameter.__base__  # its place in the library differs by version
_OF_THE_EXTRA = ("keras", "matplotlib", "sklearn", "tensorflow")


class _InterruptedError(Exception):
    """Ctrl-C, in a form that the library below does not end the program for."""


class _PipeClosedError(Exception):
    """Whoever read the output has gone, in a form that the library does not end the program for."""


@contextmanager
def _wrong_usage_in_a_line() -> Iterator[None]:
    try:
        yield
    except _WRONG_USAGE as error:
        # The words before the comma are those of the library's own checker, and say nothing.
        said = error.format_message().rstrip(".").replace("Value error, ", "")
        if "\n" in said:
            raise  # no error, but the help of a group without a command
        command = error.ctx.command_path if error.ctx else "fwid"
        raise UsageError(f"{said}; `{command} --help` says what there is") from error


class _Commands(TyperGroup):
    def make_context(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - the library's
        with _wrong_usage_in_a_line():
            return super().make_context(*given, **named)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the library keeps its types to itself
        try:
            with _wrong_usage_in_a_line():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _InterruptedError from error
        except BrokenPipeError as error:
            raise _PipeClosedError from error


app = typer.Typer(
    name="fwid",
    cls=_Commands,
    help="Has this device's firmware changed? fwid answers from packet headers alone.",
    epilog="Exit codes: 0 done, 2 wrong usage, 3 unreadable input, 4 store or state, "
    "5 agent not reachable. Example: fwid replay --store home.db captures/",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(replay.replay)
app.command(cls=compare.CompareCommand)(compare.compare)
app.command()(run.run)
app.command()(pair.pair)
app.command()(pair.tokens)
app.command()(devices.devices)
app.command()(devices.show)
app.command()(devices.accept)
app.command()(devices.relearn)
app.command()(devices.label)
app.command()(identify.kind)
app.command()(identify.identify)
app.command()(report.report)
app.command()(refine.refine)
app.command()(retrain.retrain)
app.command("install-service")(service.install_service)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(export.export)
app.command()(bench.bench)
app.add_typer(lab.app, name="lab")


def _print_version(shown: bool) -> None:
    if shown:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely asked for

        print(f"fwid {version('fwid-agent')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", envvar="FWID_DEBUG", help="Show where in the program an error arose."
        ),
    ] = False,
) -> None:
    os.environ["FWID_DEBUG"] = "1" if debug else ""


def main() -> None:
    """Run the command; every error ends as one line and the exit code that is documented."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack the signs of some words
    try:
        app(prog_name="fwid")
    except FwidError as error:
        _end(str(error), error.exit_code, error)
    except _InterruptedError:
        _end("interrupted", 130)
    except _PipeClosedError:
        # Nothing is left to say, nor anybody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_PIPE_CLOSED)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name in _OF_THE_EXTRA:
            _end(f"this needs {error.name}: pip install 'fwid-agent[lab]'", 2, error)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _end("the output cannot be written: the disk is full", 2, error)
        line = f"this is a bug ({type(error).__name__}: {error}); --debug shows where it is"
        _end(line, 1, error)


def _end(line: str, code: int, error: Exception | None = None) -> NoReturn:
    if error is not None and os.environ.get("FWID_DEBUG"):
        traceback.print_exception(error)
    print(f"fwid: {plain(line)}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
