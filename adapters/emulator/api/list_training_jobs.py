"""ListTrainingJobs: a page's rows are picked first and filtered by status after (the operation's own doc).

So a page may be short or empty and still carry a NextToken.
"""

from __future__ import annotations

import base64
import json
from typing import cast

from wpfsm.adapters.emulator.api.describe_training_job import summary, warm_pool_status
from wpfsm.adapters.emulator.api.wire import LAST_POSITION
from wpfsm.adapters.emulator.engine.errors import invalid
from wpfsm.adapters.emulator.engine.records import Job, Place, Request
from wpfsm.adapters.emulator.engine.settings import Switches
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import JSONValue

DEFAULT_PAGE = 10
COLUMNS = {"Name": "name", "CreationTime": "created", "Status": "status"}


def list_training_jobs(
    store: Store, switches: Switches, place: Place, request: Request, now: float
) -> Request:
    """Answer ListTrainingJobs.

    Raises:
        ServiceError: The token is not one that an earlier page gave.
    """
    size = cast("int", request.get("MaxResults", DEFAULT_PAGE))
    column = COLUMNS[str(request.get("SortBy", "CreationTime"))]
    descending = request.get("SortOrder") == "Descending"
    clauses, values = _before_paging(place, request, switches)
    if "NextToken" in request:
        last, identifier = _read_token(str(request["NextToken"]), column)
        clauses.append(f"({column}, id) {'<' if descending else '>'} (?, ?)")
        values += [last, identifier]
    order = "DESC" if descending else "ASC"
    where = f"WHERE {' AND '.join(clauses)} ORDER BY {column} {order}, id {order} LIMIT ?"
    rows = store.page(where, [*values, size + 1])
    picked = [job for _, job in rows[:size]]
    kept = [job for job in picked if _after_paging(job, request, switches, now)]
    answer: dict[str, JSONValue] = {"TrainingJobSummaries": [summary(job, now) for job in kept]}
    if len(rows) > size:
        identifier, job = rows[size - 1]
        answer["NextToken"] = _write_token(column, getattr(job, column), identifier)
    return answer


def _before_paging(place: Place, request: Request, switches: Switches) -> tuple[list[str], list[object]]:
    clauses, values = ["account = ?", "region = ?"], list[object](place)
    bounds = [("CreationTimeAfter", "created >= ?"), ("CreationTimeBefore", "created <= ?")]
    if not switches.last_modified_post_filter:
        bounds += [("LastModifiedTimeAfter", "modified >= ?"), ("LastModifiedTimeBefore", "modified <= ?")]
    for name, clause in bounds:
        if name in request:
            clauses.append(clause)
            values.append(request[name])
    if "NameContains" in request:
        clauses.append("instr(name, ?) > 0")
        values.append(request["NameContains"])
    if "TrainingPlanArnEquals" in request:
        clauses.append("json_extract(request, '$.ResourceConfig.TrainingPlanArn') = ?")
        values.append(request["TrainingPlanArnEquals"])
    if not switches.warm_pool_post_filter and "WarmPoolStatusEquals" in request:
        clauses.append("json_extract(document, '$.pool_status') = ?")
        values.append(request["WarmPoolStatusEquals"])
    return clauses, values


def _after_paging(job: Job, request: Request, switches: Switches, now: float) -> bool:
    if request.get("StatusEquals", job.status.value) != job.status.value:
        return False
    if "WarmPoolStatusEquals" in request:
        pool = warm_pool_status(job, now) or {}
        if pool.get("Status") != request["WarmPoolStatusEquals"]:
            return False
    if not switches.last_modified_post_filter:
        return True
    after = cast("float", request.get("LastModifiedTimeAfter", job.modified))
    before = cast("float", request.get("LastModifiedTimeBefore", job.modified))
    return after <= job.modified <= before


def _write_token(column: str, last: object, identifier: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([column, last, identifier]).encode()).decode()


def _read_token(token: str, column: str) -> tuple[object, int]:
    try:
        held = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        raise invalid("Invalid NextToken.") from None
    kind = float if column == "created" else str
    match held:
        case [was, kind() as last, int(identifier)] if was == column and 0 <= identifier < LAST_POSITION:
            return last, identifier
    raise invalid("Invalid NextToken.")
