"""The verbs: parse, call, print.

Thin on purpose. Each verb imports what it needs when it runs, so that ``wpfsm inspect`` does not wait for
boto3, and ``wpfsm --version`` for nothing at all.
"""

from __future__ import annotations

import errno
import os
import sys

if sys.argv[1:] == ["--version"]:
    # Before anything else is imported: this answers in the time of an empty Python.
    from importlib.metadata import version

    try:
        os.write(1, f"wpfsm {version('wpfsm')}\n".encode())
    except OSError as error:
        # Whoever reads no further, or closed it, does not want it; a disk that is full is another matter.
        raise SystemExit(0 if error.errno in (errno.EPIPE, errno.EBADF) else 75) from None
    raise SystemExit(0)

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wpfsm.adapters.emulator.command import emulator
from wpfsm.adapters.verbs.group import SETTINGS, Verbs, examples, loop_ids, shared
from wpfsm.adapters.verbs.shared_options import (
    any_loop,
    detachable,
    loop_file,
    one_loop,
    other_backend,
    overriding,
    strictly,
    where_to_look,
)

if TYPE_CHECKING:
    from wpfsm.adapters.terminal.output import Options


@click.group(cls=Verbs, context_settings=SETTINGS)
@click.version_option(package_name="wpfsm", message="wpfsm %(version)s")
def cli() -> None:
    """Run a loop of training jobs on one SageMaker managed warm pool.

    Keeps the pool matched and warm between jobs, and proves it released when the loop ends.
    """


cli.add_command(emulator)


@cli.command(
    short_help="Run a loop file from Preflight to Closed.",
    epilog=examples("wpfsm start loop.yaml", "wpfsm start loop.yaml --set limits.max_cost=5 --detach"),
)
@loop_file
@overriding
@other_backend
@detachable
@strictly
@click.option(
    "--continue",
    "continued",
    metavar="LOOP",
    shell_complete=loop_ids,
    help="Know the trials of a closed loop, and repeat none.",
)
@click.option("--queue", is_flag=True, help="Wait for a pool that another loop holds, instead of exit 5.")
@click.option("--lanes", type=click.IntRange(1), metavar="K", help="How many trials run side by side.")
@click.option("--rehearse", is_flag=True, help="Rehearse first, and start only what needs no change.")
@click.option("--wait", "follow", is_flag=True, help="Where an engine drives it: follow it to its end.")
@shared
def start(
    given: Options,
    file: Path,
    overrides: tuple[str, ...],
    backend: str | None,
    detach: bool,
    strict: bool,
    continued: str | None,
    queue: bool,
    lanes: int | None,
    rehearse: bool,
    follow: bool,
) -> int:
    """Run a loop file from Preflight to Closed."""
    from wpfsm.adapters.verbs import start

    if rehearse:
        from wpfsm.adapters.verbs.rehearse import passes

        if refused := passes(given, file, (*overrides, *([f"backend={backend}"] if backend else []))):
            return refused
    return start.start(
        given,
        file,
        overrides,
        backend,
        detach=detach,
        strict=strict,
        continued=continued,
        queue=queue,
        follow=follow,
        lanes=lanes,
    )


@cli.command(
    short_help="Continue a loop; without LOOP, list what can be resumed.",
    epilog=examples("wpfsm resume digits-lr-3f2a1c", "wpfsm resume digits-lr-3f2a1c --abandon"),
)
@any_loop
@click.option("--accept-changes", is_flag=True, help="Take over changed free fields of the loop file.")
@click.option("--abandon", is_flag=True, help="Only clean up: stop, release, confirm.")
@click.option("--skip", is_flag=True, help="At a failure hand-off: give up the failed trial.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="At a failure hand-off: make the trial anew with this hyperparameter.",
)
@detachable
@shared
def resume(
    given: Options,
    loop: str | None,
    accept_changes: bool,
    abandon: bool,
    skip: bool,
    settings: tuple[str, ...],
    detach: bool,
) -> int:
    """Continue a loop from its checkpoint; without LOOP, list what can be resumed."""
    if loop is None:
        from wpfsm.adapters.verbs import inspect

        return inspect.inspect_all(given, inspect.Wanted(resumable=True))
    if skip and settings:
        raise click.UsageError("--skip gives the trial up, --set makes it anew: give one")
    from wpfsm.adapters.verbs import resume

    return resume.resume(
        given,
        loop,
        accept_changes=accept_changes,
        abandon=abandon,
        detach=detach,
        skip=skip,
        settings=settings,
    )


@cli.command(
    name="next",
    short_help="Propose the next trial, and follow it to its verdict.",
    epilog=examples(
        "wpfsm next tune-3f2a1c",
        "wpfsm next tune-3f2a1c --set lr=5e-5 --note 'half the rate'",
        "wpfsm next tune-3f2a1c --source src/ --note 'cosine schedule'",
        "wpfsm next tune-3f2a1c --done",
    ),
)
@one_loop
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A hyperparameter of the trial.")
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run the source in this folder [default: that of the base].",
)
@click.option(
    "--from",
    "base",
    default="",
    metavar="best|last|N",
    help="The trial to start from [default: what strategy.keep says].",
)
@click.option("--note", default="", metavar="TEXT", help="The hypothesis; it is kept with the trial.")
@click.option("--again", is_flag=True, help="Run a point that was tried before.")
@click.option("--done", is_flag=True, help="No further trial: release, receipt, exit 0.")
@click.option("--detach", is_flag=True, help="Enqueue it, run it in the background; exit 11.")
@shared
def next_trial(
    given: Options,
    loop: str,
    settings: tuple[str, ...],
    source: Path | None,
    base: str,
    note: str,
    again: bool,
    done: bool,
    detach: bool,
) -> int:
    """Propose the next trial of LOOP and follow it to its verdict; without options, show what it waits for."""
    from wpfsm.adapters.verbs import next as following
    from wpfsm.adapters.verbs import proposal

    if done and (settings or source or base or again):
        raise click.UsageError("--done ends the loop: it goes with --note and --detach only")
    asked = proposal.Asked(settings, source, base, note, again, done)
    return following.next_(given, loop, asked, detach=detach)


@cli.command(
    short_help="Put the shared engine into your own account: one CloudFormation stack.",
    epilog=examples(
        "wpfsm deploy --training-role arn:aws:iam::123456789012:role/Train",
        "wpfsm deploy --print-template",
        "wpfsm deploy --remove",
    ),
)
@click.option("--name", default="wpfsm", show_default=True, help="Of the stack and its table.")
@click.option("--training-role", metavar="ARN", help="The one role that jobs may run with.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    help="Executions that are reserved for the loops [default: as deployed, else 50].",
)
@click.option("--region", help="Where [default: $AWS_REGION, else us-east-1].")
@click.option("--print-template", is_flag=True, help="Only print the template.")
@click.option("--remove", is_flag=True, help="Remove the engine; the table and the bucket stay.")
@shared
def deploy(
    given: Options,
    name: str,
    training_role: str | None,
    concurrency: int | None,
    region: str | None,
    print_template: bool,
    remove: bool,
) -> int:
    """Build the bundle, upload it, create or update the stack, and wait for it."""
    from wpfsm.adapters.verbs import deploy

    return deploy.deploy(
        given,
        name=name,
        role=training_role,
        region=region,
        print_template=print_template,
        remove=remove,
        concurrency=concurrency,
    )


@cli.command(
    short_help="Take one turn of a loop: for Airflow, Step Functions, or a person when the engine is down.",
    epilog=examples("wpfsm turn digits-lr-3f2a1c"),
)
@one_loop
@shared
def turn(given: Options, loop: str) -> int:
    """Run a loop's activities until something must be waited for; prints when the next turn is due."""
    from wpfsm.adapters.verbs import turn

    return turn.turn(given, loop)


@cli.command(
    short_help="Show every loop, or one: now, why, jobs, ledger, next.",
    epilog=examples(
        "wpfsm inspect",
        "wpfsm inspect digits-lr-3f2a1c",
        "wpfsm inspect digits-lr-3f2a1c --job 2",
        "wpfsm inspect digits-lr-3f2a1c --events --follow",
        "wpfsm inspect digits-lr-3f2a1c --refresh",
        "wpfsm inspect digits-lr-3f2a1c --diagram FILE.svg",
        "wpfsm inspect --open",
        "wpfsm inspect --name 'digits-*' --since 2h",
    ),
)
@any_loop
@click.option("--job", type=click.IntRange(1), metavar="N", help="Everything about one job.")
@click.option("--events", is_flag=True, help="The whole history, with guards and their values.")
@click.option(
    "--since",
    default="",
    metavar="SEQ|TIME",
    help="With LOOP: only events after this one. Without: loops that changed since (2h, 2026-11-28).",
)
@click.option("--open", "unfinished", is_flag=True, help="Only loops that are not closed.")
@click.option("--name", default="", metavar="NAME", help="Only loops of this name; * and ? as in a shell.")
@click.option("--refresh", is_flag=True, help="Ask the service too: what it says now. Changes nothing.")
@click.option("--follow", is_flag=True, help="Go on with new events until the loop closes or hands off.")
@click.option(
    "--diagram",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Draw the machine and the path taken: mermaid, or an image in FILE (svg, png, pdf).",
)
@shared
def inspect(
    given: Options,
    loop: str | None,
    job: int | None,
    events: bool,
    since: str,
    unfinished: bool,
    name: str,
    refresh: bool,
    follow: bool,
    diagram: str | None,
) -> int:
    """Show every loop, or one: where it is, why, its jobs, its ledger, what to do next."""
    import time

    from wpfsm.adapters.verbs import inspect

    if diagram is not None and loop is None and "." not in diagram[1:]:
        loop, diagram = (diagram if diagram != "-" else None), "-"
    if loop is not None and (unfinished or name):
        raise click.UsageError("--open and --name are for the list of loops: leave LOOP out")
    if diagram is not None:
        return inspect.inspect_diagram(given, loop, None if diagram == "-" else Path(diagram))
    if loop is None:
        if refresh:
            raise click.UsageError("--refresh asks about the jobs of one loop: give LOOP")
        moment = inspect.moment_of(since, time.time()) if since else 0
        return inspect.inspect_all(given, inspect.Wanted(unfinished=unfinished, since=moment, name=name))
    if refresh and (job or events or follow or since):
        raise click.UsageError("--refresh goes with a loop alone")
    if job is not None:
        return inspect.inspect_job(given, loop, job)
    if events or follow or since:
        after = inspect.sequence_number(since) if since else 0
        return inspect.inspect_events(given, loop, after, follow=follow)
    return inspect.inspect_one(given, loop, refresh=refresh)


@cli.command(
    short_help="Show what a loop file would do and cost. Writes nothing.",
    epilog=examples("wpfsm plan loop.yaml", "wpfsm plan loop.yaml --offline -o json"),
)
@loop_file
@overriding
@other_backend
@click.option("--offline", is_flag=True, help="Read nothing from the service, and ask no package index.")
@strictly
@shared
def plan(
    given: Options, file: Path, overrides: tuple[str, ...], backend: str | None, offline: bool, strict: bool
) -> int:
    """Show what a loop file would do: trials, lock, headroom, forecast, worst case. Writes nothing."""
    from wpfsm.adapters.verbs import plan

    return plan.plan(given, file, overrides, backend, offline=offline, strict=strict)


@cli.command(
    short_help="Run the first trial on this machine, for nothing.",
    epilog=examples(
        "wpfsm rehearse loop.yaml", "wpfsm rehearse loop.yaml --python ~/envs/torch --input train=data/"
    ),
)
@loop_file
@overriding
@click.option(
    "--input", "inputs", multiple=True, metavar="NAME=FOLDER", help="A folder that stands for a channel."
)
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="A Python environment that stands for the image; a plain one otherwise.",
)
@shared
def rehearse(
    given: Options, file: Path, overrides: tuple[str, ...], inputs: tuple[str, ...], python: Path | None
) -> int:
    """Run the first trial on this machine, patched by the same rules, at no cost.

    Ends with what was found, the patches as a diff, and the commands that apply them and start. What only the image or
    a GPU can show is said to be untested. Exit code 1 when the trial would fail in the job, too.
    """
    from wpfsm.adapters.verbs import rehearse

    return rehearse.rehearse(given, file, overrides, inputs=rehearse.channels(inputs), python=python)


@cli.command(
    short_help="Check credentials, permissions, quotas, database, orphans.",
    epilog=examples("wpfsm doctor --backend aws --region us-east-1 --instance-type ml.g6e.2xlarge"),
)
@where_to_look
@click.option("--instance-type", metavar="TYPE", help="Show the quotas of this instance type too.")
@shared
def doctor(given: Options, backend: str | None, region: str | None, instance_type: str | None) -> int:
    """Check credentials, permissions, quotas, clock, database and orphans."""
    from wpfsm.adapters.verbs import doctor

    return doctor.doctor(given, backend, region, instance_type)


@cli.command(
    short_help="Stop a loop: stop its job, release the pool, confirm.",
    epilog=examples("wpfsm stop digits-lr-3f2a1c"),
)
@one_loop
@click.option("--timeout", default="15m", show_default=True, help="How long to wait for the release.")
@shared
def stop(given: Options, loop: str, timeout: str) -> int:
    """Ask the loop's controller to stop: stop the job, release, confirm."""
    from wpfsm.adapters.verbs import stop

    return stop.stop(given, loop, timeout)


@cli.command(
    short_help="Release the pool of a loop, or of one job. Idempotent.",
    epilog=examples(
        "wpfsm release digits-lr-3f2a1c",
        "wpfsm release --job digits-lr-3f2a1c-002 --backend aws --region us-east-1",
    ),
)
@any_loop
@click.option("--job", metavar="NAME", help="Release the pool of one job, with or without the database.")
@click.option("--backend", type=click.Choice(["local", "aws"]), help="Where a job is that no loop knows.")
@click.option("--region", help="Likewise.")
@shared
def release(
    given: Options, loop: str | None, job: str | None, backend: str | None, region: str | None
) -> int:
    """Discharge the obligations of a loop, or of one job. Idempotent."""
    from wpfsm.adapters.verbs import release

    if (loop is None) == (job is None):
        raise click.UsageError("give a loop, or --job NAME")
    return release.release(given, loop, job, backend, region)


@cli.command(
    short_help="Find pools that nobody owns, and release them.",
    epilog=examples("wpfsm gc", "wpfsm gc --apply --backend aws --region us-east-1"),
)
@click.option("--apply", is_flag=True, help="Release what was found.")
@click.option("--running", is_flag=True, help="With --apply: stop jobs that no database here knows, too.")
@click.option("--older-than", default="10m", show_default=True, help="Idle time of a pool no database knows.")
@where_to_look
@shared
def gc(
    given: Options, apply: bool, running: bool, older_than: str, backend: str | None, region: str | None
) -> int:
    """Find pools that nobody owns, with or without the database, and release them."""
    from wpfsm.adapters.verbs import gc

    return gc.gc(given, backend, region, apply=apply, running=running, older_than=older_than)


@cli.command(
    short_help="Show every warm pool here, who holds it, what it burns.",
    epilog=examples("wpfsm pools --backend aws --region us-east-1"),
)
@where_to_look
@shared
def pools(given: Options, backend: str | None, region: str | None) -> int:
    """Show every warm pool where this database's loops ran, or where you say: its holder, what it burns per hour."""
    from wpfsm.adapters.verbs import pools

    return pools.pools(given, backend, region)


@cli.command(
    short_help="Wait until a loop ends, hands off, or the time is up.",
    epilog=examples("wpfsm wait digits-lr-3f2a1c --timeout 9m"),
)
@one_loop
@click.option("--timeout", default="9m", show_default=True, help="How long to wait at most.")
@shared
def wait(given: Options, loop: str, timeout: str) -> int:
    """Wait until a loop ends (its exit code), hands off (10), or the time is up (11)."""
    from wpfsm.adapters.verbs import wait

    return wait.wait(given, loop, timeout)


@cli.command(
    short_help="Print the log of a job, or the lines that explain it.",
    epilog=examples("wpfsm logs digits-lr-3f2a1c --job 2 --follow", "wpfsm logs digits-lr-3f2a1c --failed"),
)
@one_loop
@click.option("--job", type=click.IntRange(1), metavar="N", help="Which job [default: the newest].")
@click.option("--follow", is_flag=True, help="Go on until the job ends.")
@click.option("--failed", is_flag=True, help="Only the lines that explain the newest failure.")
@click.option("--raw", is_flag=True, help="As the job printed it: secrets and terminal sequences too.")
@shared
def logs(given: Options, loop: str, job: int | None, follow: bool, failed: bool, raw: bool) -> int:
    """Print the log of a job, or only the lines that explain its failure."""
    from wpfsm.adapters.verbs import logs as reading

    return reading.logs(given, loop, job, follow=follow, failed=failed, raw=raw)


@cli.command(
    short_help="Download the model of the best trial, or of another.",
    epilog=examples("wpfsm fetch digits-lr-3f2a1c", "wpfsm fetch digits-lr-3f2a1c --trial 2 models/"),
)
@click.argument("loop", shell_complete=loop_ids)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False))
@click.option("--trial", type=click.IntRange(1), metavar="N", help="Which trial [default: the best].")
@shared
def fetch(given: Options, loop: str, folder: Path | None, trial: int | None) -> int:
    """Download the model artifact of the best trial into DIR [default: a folder of the job's name]."""
    from wpfsm.adapters.verbs import fetch

    return fetch.fetch(given, loop, trial, folder)


@cli.command(
    short_help="Write the trials as rows: CSV or JSON Lines.",
    epilog=examples(
        "wpfsm export digits-lr-3f2a1c --csv trials.csv", "wpfsm export digits-lr-3f2a1c --jsonl - --reports"
    ),
)
@click.argument("loop", shell_complete=loop_ids)
@click.option(
    "--csv", "table", type=click.Path(path_type=Path), metavar="FILE", help="A table; - for stdout."
)
@click.option(
    "--jsonl",
    "lines",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An object a line; - for stdout.",
)
@click.option("--reports", is_flag=True, help="One row a report of a metric, with its time, instead.")
@shared
def export(given: Options, loop: str, table: Path | None, lines: Path | None, reports: bool) -> int:
    """Write one row a trial: parameters, metrics, seconds, dollars, verdict."""
    from wpfsm.adapters.verbs import export

    if table is not None and lines is None:
        return export.export(given, loop, table, "csv", reports=reports)
    if lines is not None and table is None:
        return export.export(given, loop, lines, "jsonl", reports=reports)
    raise click.UsageError("give one of --csv FILE and --jsonl FILE")


@cli.command(
    short_help="Remove a closed loop from the history.",
    epilog=examples("wpfsm forget digits-lr-3f2a1c"),
)
@click.argument("loop", shell_complete=loop_ids)
@shared
def forget(given: Options, loop: str) -> int:
    """Remove a closed loop from the history: its rows, its logs, its copies of the source, what it learned.

    Jobs stay in the service and artifacts in S3. A loop that is not closed, or owes a release, is refused.
    """
    from wpfsm.adapters.verbs import forget

    return forget.forget(given, loop)


@cli.command(
    short_help="Classify a failure: of a job, or known by its texts.",
    epilog=examples("wpfsm explain digits-lr-3f2a1c --job 2", "wpfsm explain --reason TEXT --log job.log"),
)
@any_loop
@click.option(
    "--job", type=click.IntRange(1), metavar="N", help="Which job [default: the newest failed one]."
)
@click.option("--reason", metavar="TEXT", help="A FailureReason, or the message of an API error.")
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A job's log, or what `aws logs get-log-events` printed; - for stdin.",
)
@shared
def explain(given: Options, loop: str | None, job: int | None, reason: str | None, log: Path | None) -> int:
    """Classify a failure: a loop's job's, or any that is known by its texts."""
    from wpfsm.adapters.verbs import explain

    return explain.explain(given, loop, job, reason, log)


@cli.command(
    short_help="Show what the loop patched in its copy of the source.",
    epilog=examples("wpfsm diff digits-lr-3f2a1c", "wpfsm diff digits-lr-3f2a1c --apply"),
)
@one_loop
@click.option("--apply", is_flag=True, help="Write the patches into your files.")
@click.option("--best", is_flag=True, help="The source of the best trial, in the place of the newest one's.")
@shared
def diff(given: Options, loop: str, apply: bool, best: bool) -> int:
    """Show what the loop patched in its copy of the source, against your files."""
    from wpfsm.adapters.verbs import diff

    return diff.diff(given, loop, apply=apply, best=best)


@cli.group()
def metric() -> None:
    """Try the expressions that read a metric."""


@metric.command(
    "test",
    epilog=examples(
        "wpfsm metric test job.log --regex 'eval_loss=([0-9.eE+-]+)'",
        "wpfsm metric test job.log --loop loop.yaml",
    ),
)
@loop_file
@click.option("--regex", metavar="R", help="One group that captures the number.")
@click.option(
    "--loop", "loop_file", type=click.Path(path_type=Path), metavar="FILE", help="Take the loop file's."
)
@click.option("--name", metavar="NAME", help="Which metric of the loop file [default: the goal].")
@shared
def metric_test(
    given: Options, file: Path, regex: str | None, loop_file: Path | None, name: str | None
) -> int:
    """Show what an expression extracts from a log (- for stdin); exit 1 when the metric would be null."""
    from wpfsm.adapters.verbs import metric

    return metric.metric_test(given, file, regex, loop_file, name)


@cli.command(
    short_help="Say whether a request is a candidate for a warm pool.",
    epilog=examples("wpfsm detect 'try learning rates 1e-4, 5e-5, 2e-5' --write loop.yaml"),
)
@click.argument("text")
@click.option("--write", "file", type=click.Path(path_type=Path), metavar="FILE", help="Draft the loop file.")
@shared
def detect(given: Options, text: str, file: Path | None) -> int:
    """Say whether a request (- for stdin) is a candidate for a warm pool, in which pattern, with which trials."""
    from wpfsm.adapters.verbs import detect

    return detect.detect(given, text, file)


@cli.command(
    short_help="Write a commented loop file.",
    epilog=examples("wpfsm init", "wpfsm init --from-job my-job --backend aws --region us-east-1 loop.yaml"),
)
@click.argument("file", type=click.Path(path_type=Path), default=Path("loop.yaml"))
@click.option("--from-job", metavar="NAME", help="Around a training job that exists.")
@click.option(
    "--backend", type=click.Choice(["local", "aws"]), default="aws", show_default=True, help="Of that job."
)
@click.option("--region", default="us-east-1", show_default=True, help="Of that job.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@shared
def init(given: Options, file: Path, from_job: str | None, backend: str, region: str, force: bool) -> int:
    """Write a commented loop file [default: loop.yaml]."""
    from wpfsm.adapters.verbs import init as writing

    return writing.init(given, file, from_job, backend, region, force=force)


@cli.command(epilog=examples("wpfsm schema > loop.schema.json", "wpfsm schema --inspect"))
@click.option("--inspect", "of_inspect", is_flag=True, help="Of what `inspect ID -o json` prints instead.")
@shared
def schema(given: Options, of_inspect: bool) -> int:
    """Print the JSON Schema of the loop file, for editors."""
    from wpfsm.adapters.verbs import schema

    return schema.schema(given, of_inspect=of_inspect)


@cli.command(
    short_help="Print the script that completes words in a shell.",
    epilog=examples(
        'eval "$(wpfsm completion bash)"', "wpfsm completion fish > ~/.config/fish/completions/wpfsm.fish"
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@shared
def completion(given: Options, shell: str) -> int:
    """Print the script that completes verbs and options in a shell."""
    from wpfsm.adapters.verbs import completion

    return completion.completion(given, cli, shell)


@cli.group()
def skill() -> None:
    """The agent skill: how a coding agent uses wpfsm."""


@skill.command("show", epilog=examples("wpfsm skill show"))
@shared
def skill_show(given: Options) -> int:
    """Print the skill."""
    from wpfsm.adapters.verbs import skill

    return skill.skill_show(given)


@skill.command("install", epilog=examples("wpfsm skill install", "wpfsm skill install --dir .claude/skills"))
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Into this folder of skills."
)
@click.option(
    "--for",
    "agents",
    multiple=True,
    type=click.Choice(["claude", "agents", "codex", "gemini", "kiro"]),
    help="For this kind of agent [default: claude, agents, and each that is there].",
)
@shared
def skill_install(given: Options, folder: Path | None, agents: tuple[str, ...]) -> int:
    """Put the skill where agents look for skills."""
    from wpfsm.adapters.verbs import skill

    return skill.skill_install(given, folder, agents)


@cli.command(
    short_help="Write one self-contained HTML page of a loop.",
    epilog=examples("wpfsm report LOOP --html loop.html"),
)
@one_loop
@click.option(
    "--html",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    help="Where to write the page.",
)
@shared
def report(given: Options, loop: str, target: Path) -> int:
    """Write one self-contained HTML page: the pool over time, metrics, costs, failures, receipt."""
    from wpfsm.adapters.verbs import report

    return report.report(given, loop, target)


def main() -> None:
    """Entry point of the ``wpfsm`` command."""
    from wpfsm.adapters.terminal.streams import secure

    secure()
    cli(prog_name="wpfsm")


if __name__ == "__main__":
    main()
