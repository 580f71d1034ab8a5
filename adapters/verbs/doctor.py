"""``doctor``: whether this machine and these credentials can drive a loop. No writes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.adapters.terminal.table import table
from wpfsm.fsm.errors import POLICY, Denied, NotFound, Refused, StoreError, WpfsmError
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.pool.quota import as_shell, headroom, increase_command
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import JSON, State
from wpfsm.fsm.states.preflight.checks import holdings
from wpfsm.fsm.units import stamp
from wpfsm.state.damage import damage
from wpfsm.state.database import explain, open_existing

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.aws.clients import Target


SWEEP_SECONDS = 900.0
"""Between two sweeps of a shared table."""
MOST_SKEW = 60.0
"""Seconds. Signatures are refused beyond 5 minutes, and times in a ledger are wrong before that."""


@dataclass(frozen=True)
class Check:
    """One line of ``doctor``."""

    name: str
    verdict: Literal["ok", "warn", "fail"]
    text: str
    fix: str = ""
    exit_code: int = 1


def doctor(given: Options, backend: str | None, region: str | None, instance_type: str | None) -> int:
    """Credentials, permissions, quotas, clock, database, orphans: every check runs, then all are shown."""
    from wpfsm.adapters.aws.targets import target_for

    checks = [*(_team(given) if given.shared else [_database(given)]), *_extras()]
    try:
        target = target_for(given, backend, region)
    except NotFound as error:
        checks.append(Check("endpoint", "ok", str(error)))
    else:
        checks += _account(given, target, instance_type)
    document: dict[str, JSON] = {"schema": SCHEMA, "checks": [asdict(check) for check in checks]}
    rows = [
        (check.verdict, check.name, check.text + (f"\n{'':8}fix: {check.fix}" if check.fix else ""))
        for check in checks
    ]
    emit(given, document, table(rows))
    return max((check.exit_code for check in checks if check.verdict == "fail"), default=0)


def _database(given: Options) -> Check:
    try:
        connection = open_existing(given.database)
        problem = connection.execute("pragma quick_check").fetchone()[0]
    except NotFound:
        return Check("database", "ok", f"none yet at {given.database}")
    except StoreError as error:
        return Check("database", "fail", str(error), error.fix, error.exit_code)
    except Exception as error:  # noqa: BLE001 - this check exists to say what is wrong with the file
        broken = explain(error, given.database)
        return Check("database", "fail", str(broken), broken.fix, broken.exit_code)
    if found := damage(given.database):
        return Check("database", "fail", str(found), found.fix, found.exit_code)
    if problem != "ok":
        return Check("database", "fail", f"{given.database}: {problem}", "wpfsm gc works without it", 75)
    history = history_of(given)
    if history.owed():
        return _owed("database", given, history)
    return Check("database", "ok", f"{given.database}, nothing owed")


def _owed(name: str, given: Options, history: History) -> Check:
    """What is not released, and the command that fits each loop: one that waits or is driven is no orphan."""
    now, texts, fixes = time.time(), [], []
    for loop_id in sorted({o.loop_id for o in history.owed()}):
        loop = history.find(loop_id)
        if loop.handoff is not None:
            over = loop.hold_until is not None and loop.hold_until <= now
            texts.append(f"{loop_id} waits in a hand-off" + (", its hold is over" if over else ""))
            fixes.append(f"wpfsm inspect {loop_id} says what for")
        elif loop.state is State.CLOSED:
            texts.append(f"{loop_id} is closed and its release is not confirmed")
            fixes.append(f"wpfsm release {loop_id}")
        elif look(history, given.database, loop, now).alive is False:
            texts.append(f"{loop_id} has lost its controller")
            fixes.append(f"wpfsm resume {loop_id}, or wpfsm gc --apply to release it")
        else:
            texts.append(f"{loop_id} runs")
    count = len(history.owed())
    text = f"{count} open obligation(s): {'; '.join(texts)}"
    return Check(name, "warn" if fixes else "ok", text, "; ".join(fixes))


def _team(given: Options) -> list[Check]:
    """The shared table and its engine: the deployed version, the last sweep, loops that are late."""
    import importlib.metadata

    from wpfsm.adapters.aws.targets import place_of
    from wpfsm.adapters.engine.place import last_sweep

    try:
        place = place_of(given)
        owed = history_of(given).owed()
        late = _late(history_of(given), time.time())
        swept = last_sweep(place)
    except WpfsmError as error:
        return [Check("table", "fail", str(error), error.fix, error.exit_code)]
    here = importlib.metadata.version("wpfsm")
    checks = [
        _owed("table", given, history_of(given))
        if owed
        else Check("table", "ok", f"{place.table.name}, nothing owed"),
        Check("engine", "ok", f"{place.function or 'none'}, wpfsm {place.version}")
        if place.version == here
        else Check("engine", "warn", f"wpfsm {place.version} was deployed, this is {here}", "wpfsm deploy"),
    ]
    if swept is None or time.time() - float(swept["at"]) > 2 * SWEEP_SECONDS:
        said = f"the sweep ran last at {stamp(float(swept['at']))}" if swept else "the sweep has not run yet"
        checks.append(
            Check("sweep", "warn", said, "aws lambda invoke the stack's sweep function, and read its log")
        )
    elif refused := swept.get("refused"):
        checks.append(
            Check(
                "sweep",
                "warn",
                f"the engine did not take {refused}",
                "wpfsm turn LOOP, for as long as it lasts",
            )
        )
    else:
        checks.append(Check("sweep", "ok", f"ran at {stamp(float(swept['at']))}, restarted {swept['begun']}"))
    if late:
        checks.append(Check("loops", "warn", f"late: {', '.join(late)}", f"wpfsm resume {late[0]}"))
    return checks


def _late(history: History, now: float) -> list[str]:
    """Loops, and lanes of groups, of which an engine should have taken a turn by now, or died in one."""
    from wpfsm.adapters.documents.liveness import engine

    every = [each for loop in history.unfinished() for each in history.lanes(loop.id) or (loop,)]
    return [
        each.id
        for each in every
        if each.generation
        and each.handoff is None
        and each.state is not State.CLOSED
        and engine(each, history.owner(each.id), now).alive is False
    ]


def _extras() -> list[Check]:
    import importlib.util

    wanted = {"sagemaker": "sagemaker", "moto": "local", "optuna": "bayes", "plotly": "report"}
    return [
        Check(f"extra {extra}", "warn", "not installed", f"pip install 'wpfsm[{extra}]'")
        for module, extra in wanted.items()
        if importlib.util.find_spec(module) is None
    ]


def _account(given: Options, target: Target, instance_type: str | None) -> list[Check]:
    from wpfsm.adapters.aws.account import Account

    account = Account(target)
    checks = [
        _tried("credentials", lambda: f"account {account.identity().account}, {account.identity().arn}")
    ]
    if checks[0].verdict == "fail":
        return checks
    checks.append(_tried("clock", lambda: _clock(account)))
    checks.append(_permissions(account, instance_type))
    checks.append(_tried("orphans", lambda: _orphans(given, account)))
    if instance_type:
        checks.append(_tried("quota", lambda: _rooms(account, target.region, instance_type)))
    return checks


def _tried(name: str, attempt: Callable[[], Check | str]) -> Check:
    try:
        found = attempt()
    except WpfsmError as error:
        return Check(name, "fail", str(error), error.fix, error.exit_code)
    return Check(name, "ok", found) if isinstance(found, str) else found


def _permissions(account: Account, instance_type: str | None) -> Check:
    resources: dict[str, JSON] = {"KeepAlivePeriodInSeconds": int(default_keep_alive("person"))}
    if instance_type:
        resources["InstanceType"] = instance_type
    try:
        missing = account.missing_permissions({"ResourceConfig": resources})
    except WpfsmError as error:
        return Check("permissions", "warn", str(error), error.fix or POLICY)
    if denied := [denial.action for denial in missing if not denial.lacking]:
        return Check("permissions", "fail", "denied: " + ", ".join(denied), POLICY, Denied.exit_code)
    if missing:
        keys = sorted({key for denial in missing for key in denial.lacking})
        text = f"{', '.join(d.action for d in missing)}: depends on {', '.join(keys)}, which a simulation cannot know"
        return Check("permissions", "warn", text, f"go on if that condition holds here; else {POLICY}")
    return Check("permissions", "ok", "none of the actions of a loop is denied")


def _clock(account: Account) -> Check:
    """This machine's clock against the service's, from an answer's Date header."""
    from email.utils import parsedate_to_datetime

    from wpfsm.adapters.aws.errors import translated

    with translated("GetCallerIdentity"):
        answer = account.clients.sts.get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if not date:
        return Check("clock", "warn", "the service gave no date")
    skew = time.time() - parsedate_to_datetime(date).timestamp()
    if abs(skew) > MOST_SKEW:
        return Check("clock", "fail", f"{skew:+.0f} s against the service", "synchronise the clock (NTP)")
    return Check("clock", "ok", f"{skew:+.0f} s against the service")


def _orphans(given: Options, account: Account) -> Check:
    from wpfsm.adapters.verbs.pool_survey import survey_pools

    history: History | None = None
    with contextlib.suppress(Exception):  # pools are found without it too
        history = history_of(given)
    found = survey_pools(account, given.database, history)
    ours = [view.reading.name for view in found if view.holder in ("dead", "unknown")]
    if not ours:
        return Check(
            "orphans", "ok", f"{len(found)} warm pool(s), each with an owner that lives or is not ours"
        )
    text = f"{len(ours)} of {len(found)} warm pool(s) have no live controller here: {', '.join(ours)}"
    return Check("orphans", "warn", text, "wpfsm gc shows them, wpfsm gc --apply releases them")


def _rooms(account: Account, region: str, instance_type: str) -> Check:
    """The headroom of both quotas for one instance; a warm pool quota of 0 is why a keep-alive does nothing."""
    training, warm_pool = account.quota(instance_type)
    if not training and not warm_pool:
        return Check(
            "quota",
            "warn",
            f"no quota is listed for {instance_type}",
            "check the name, and the Service Quotas console",
        )
    held = holdings(account, instance_type, lambda _: False)
    room = headroom(training, held, 1, instance_type=instance_type)
    pools = headroom(warm_pool, held, 1, instance_type=instance_type, kinds=("pool",))
    known = [each for each in (room, pools) if each.quota]
    text = "; ".join(each.text for each in known)
    full = [each for each in known if each.verdict != "ok"]
    if not full:
        return Check("quota", "ok", text)
    fixes = "; ".join(as_shell(increase_command(r.quota, region, r.enough)) for r in full if r.quota)
    if pools in full:
        text += ": keep-alive would silently do nothing"
    return Check("quota", "fail", text, fixes, Refused.exit_code)
