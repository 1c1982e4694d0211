"""The command `fwid`: its commands, and how it ends when something is wrong."""

import os
import sys
from typing import Annotated

import typer

from fwid_agent.errors import FwidError

_CAPTURE_OPTIONS = ("--baseline", "--test")

app = typer.Typer(
    name="fwid",
    help="Has this device's firmware changed? fwid answers from packet headers alone.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
lab = typer.Typer(
    help="Research: training and evaluation. Needs the `lab` extra.", no_args_is_help=True
)


def _version(shown: bool) -> None:
    if shown:
        from importlib.metadata import version  # noqa: PLC0415

        print(f"fwid {version('fwid-agent')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the program an error arose.")
    ] = False,
) -> None:
    if debug:
        os.environ["FWID_DEBUG"] = "1"


def main() -> None:
    """Run the command; every error ends as one line and the exit code that is documented."""
    _add_commands()
    try:
        app(_spread(sys.argv[1:]), standalone_mode=True)
    except FwidError as error:
        _end(str(error), error.exit_code, error)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, nor anybody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        _end("interrupted", 130, None)
    except Exception as error:
        _end(
            f"this is a bug in fwid ({type(error).__name__}: {error}); see it with --debug",
            1,
            error,
        )


def _spread(arguments: list[str]) -> list[str]:
    """Let options that take captures take several in a row: `--test a b` is `--test a --test b`."""
    result: list[str] = []
    option = ""
    for argument in arguments:
        if argument in _CAPTURE_OPTIONS:
            option = argument
            continue
        if argument.startswith("-") and argument != "-":
            option = ""
        result += [option, argument] if option else [argument]
    return result


def _end(line: str, code: int, error: BaseException | None) -> None:
    if error is not None and os.environ.get("FWID_DEBUG"):
        raise error
    print(f"fwid: {line}", file=sys.stderr)
    sys.exit(code)


def _add_commands() -> None:
    """Register the commands; those with heavy imports import them when they run."""
    from fwid_agent.cli import bench, compare, devices, replay, train  # noqa: PLC0415

    app.command()(replay.replay)
    app.command()(compare.compare)
    for command in (devices.devices, devices.show, devices.accept, devices.relearn, devices.label):
        app.command()(command)
    app.command()(bench.bench)
    lab.command()(train.train)
    app.add_typer(lab, name="lab")


if __name__ == "__main__":
    main()
