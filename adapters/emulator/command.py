"""``wpfsm emulator``: serve the emulator in the foreground."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

_T = TypeVar("_T")


def _parsed(
    parse: Callable[[str], _T],
) -> Callable[[click.Context, click.Parameter, Sequence[str]], list[_T]]:
    """Make a click callback that parses every value of a repeatable option."""

    def callback(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[_T]:
        try:
            return [parse(value) for value in values]
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _quota(text: str) -> object:
    from wpfsm.adapters.emulator.engine.settings import parse_quota

    return parse_quota(text)


def _image(text: str) -> tuple[str, Path]:
    uri, separator, environment = text.partition("=")
    if not separator or not Path(environment).exists():
        raise ValueError(f"an image is URI=ENV with the path of a Python environment, not {text!r}")
    return uri, Path(environment).absolute()


def _switch(text: str) -> str:
    from wpfsm.adapters.emulator.engine.settings import Switches

    Switches().with_text(text)
    return text


@click.command(
    "emulator",
    short_help="Serve a SageMaker endpoint with warm pools on loopback.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    help="The address to listen on, 127.0.0.1 unless given. Beyond loopback callers need the emulator's token.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one."
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where jobs and pools are remembered; one emulator per directory. Default: the user's state directory.",
)
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="TYPE=N",
    callback=_parsed(_quota),
    help="Warm pool quota of an instance type, or TYPE:training=N for its training quota. Without: room.",
)
@click.option("--cold-start", type=click.FloatRange(0), default=2.0, show_default=True, help="Seconds.")
@click.option("--warm-start", type=click.FloatRange(0), default=0.2, show_default=True, help="Seconds.")
@click.option(
    "--time-scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Seconds of the emulator's clock in one second.",
)
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON file of faults."
)
@click.option(
    "--chaos",
    type=int,
    default=None,
    metavar="SEED",
    help="Every kind of fault, now and then; the same for the same seed.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the faults' draws.")
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="URI=ENV",
    callback=_parsed(_image),
    help="The Python environment that stands for a training image; URI may be a shell pattern.",
)
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parsed(_switch),
    help="Behaviour that AWS does not document; see docs/emulator.md.",
)
@click.option(
    "--stop-grace",
    type=click.FloatRange(0),
    default=120.0,
    show_default=True,
    help="Seconds from SIGTERM to SIGKILL.",
)
@click.option(
    "--idle-exit",
    type=click.FloatRange(0),
    default=None,
    help="End after so many seconds with nothing to do.",
)
@click.option("--account", metavar="ID", default=None, help="The account of every caller: twelve digits.")
def emulator(
    host: str,
    port: int,
    state: Path | None,
    quotas: list[tuple[tuple[str, str], int]],
    cold_start: float,
    warm_start: float,
    time_scale: float,
    faults: Path | None,
    chaos: int | None,
    seed: int,
    images: list[tuple[str, Path]],
    switches: list[str],
    stop_grace: float,
    idle_exit: float | None,
    account: str | None,
) -> None:
    """Serve a SageMaker endpoint with warm pools on loopback, for any SageMaker client.

    The one line on stdout is its URL; set AWS_ENDPOINT_URL to it. Ends with Ctrl-C or SIGTERM.
    """
    import errno
    import os
    import signal
    import sqlite3

    from wpfsm.adapters.emulator import server as serving
    from wpfsm.adapters.emulator.engine.faults import read_rules
    from wpfsm.adapters.emulator.engine.settings import ACCOUNT, Settings, Switches
    from wpfsm.adapters.host.signals import SignalThread

    if account is not None and not (account.isdigit() and len(account) == 12):
        raise click.BadParameter("an account is twelve digits", param_hint="--account")
    _check_types([name for (name, _), _ in quotas])
    try:
        rules = read_rules(faults) if faults else []
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--faults") from None
    if chaos is not None:
        from wpfsm.adapters.emulator.engine.chaos import chaos as faults_of

        rules += faults_of(chaos)
    chosen = Switches()
    for assignment in switches:
        chosen = chosen.with_text(assignment)
    options = serving.Options(
        state=(state or _default_state()).absolute(),
        host=host,
        port=port,
        scale=time_scale,
        images=dict(images),
        faults=tuple(rules),
        idle_exit=idle_exit,
        settings=Settings(
            cold_start=cold_start,
            warm_start=warm_start,
            quotas=dict(quotas),  # type: ignore[arg-type]
            account=account or ACCOUNT,
            stop_grace=stop_grace,
            seed=seed if chaos is None else chaos,
            switches=chosen,
        ),
    )
    # Logs, data and models of jobs are their owner's alone, whatever makes them.
    os.umask(0o077)
    try:
        options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = serving.Server(options)
    except ImportError as error:
        raise click.ClickException(f"{error}. The emulator needs: pip install 'wpfsm[local]'") from None
    except serving.StateInUseError as error:
        raise click.ClickException(str(error)) from None
    except sqlite3.Error as error:
        raise click.ClickException(f"cannot keep its state in {options.state}: {error}") from None
    except OSError as error:
        if error.filename or error.errno == errno.ENOSPC:
            raise click.ClickException(
                f"cannot keep its state in {options.state}: {error.strerror}"
            ) from None
        raise click.ClickException(f"cannot listen on {host}, port {port}: {error.strerror}") from None
    relay = SignalThread(lambda _: server.stop())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: relay.send(number))
    server.run(click.echo)


def _check_types(names: Sequence[str]) -> None:
    """Refuse a quota for an instance type that training jobs cannot have: it would silently mean nothing."""
    if not names:
        return
    import difflib

    from wpfsm.adapters.emulator.engine.service_model import instance_types

    for name in names:
        if name not in instance_types():
            near = difflib.get_close_matches(name, instance_types(), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.BadParameter(f"no instance type {name!r} for training{hint}", param_hint="--quota")


def _default_state() -> Path:
    import platformdirs

    return platformdirs.user_state_path("wpfsm") / "emulator"
