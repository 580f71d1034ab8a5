"""`wpfsm pools`: every warm pool of the account and region."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.moments import distance
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.adapters.terminal.table import table
from wpfsm.adapters.verbs.pool_survey import say_silent, survey
from wpfsm.fsm.records import JSON
from wpfsm.fsm.units import duration, usd

if TYPE_CHECKING:
    from wpfsm.adapters.verbs.pool_survey import PoolView


def pools(given: Options, backend: str | None, region: str | None) -> int:
    """Every warm pool of the places that are asked, and what it burns; the exit code of a place that did not answer."""
    from wpfsm.adapters.aws.places import in_document

    asked = survey(given, backend, region)
    found = [view for one in asked for view in one.pools]
    known = [view.burn for view in found if view.idle_seconds is not None]
    unknown = None in known or any(one.error for one in asked)
    total = None if unknown else sum(burn for burn in known if burn is not None)
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "pools": [view.to_json() for view in found],
        "idle_burn_usd_per_hour": total,
        "asked": [
            {**in_document(one.account.target), "error": str(one.error) if one.error else None}
            for one in asked
        ],
    }
    emit(given, document, _pools_text(found, total))
    return say_silent(asked)


def _pools_text(found: list[PoolView], total: float | None) -> str:
    if not found:
        return "no warm pool here"
    rows = [("POOL (OWNER JOB)", "STATUS", "INSTANCES", "IDLE", "ENDS", "BURNS", "LOOP", "HELD BY")]
    for view in found:
        plain = view.to_json()
        rows.append(
            (
                view.reading.name,
                str(plain["status"]),
                f"{plain['instance_count']} x {plain['instance_type']}",
                duration(view.idle_seconds) if view.idle_seconds is not None else "-",
                _ends(plain["expires_at"]),
                "unknown" if view.burn is None else f"{usd(view.burn)}/h",
                view.loop or "-",
                view.holder,
            )
        )
    burn = "unknown" if total is None else f"{usd(total)}/h"
    return f"{table(rows)}\nidle pools burn {burn}"


def _ends(moment: JSON) -> str:
    """How far away the end of the keep-alive is: a pool that nobody uses or releases lasts until then."""
    return distance(datetime.fromisoformat(moment).timestamp()) if isinstance(moment, str) else "-"
