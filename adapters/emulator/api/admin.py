"""What is not SageMaker: health, records, clock, faults and pool events, under ``/_wpfsm/``."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.api.call_log import CallLog
from wpfsm.adapters.emulator.api.wire import Answer, Signature, read_body, read_json
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.faults import Faults, parse_rules
from wpfsm.adapters.emulator.engine.quotas import catalogue
from wpfsm.adapters.emulator.engine.records import Place, Request
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BAD_REQUEST, NOT_FOUND = 400, 404
MOST = 10**9
EVENTS = {"patch_update": "patch_update", "steal": "stolen_pool", "stolen_pool": "stolen_pool"}


class Admin:
    """Answers the requests that steer an emulator."""

    def __init__(
        self, engine: Engine, faults: Faults, calls: CallLog, place: Callable[[Signature], Place]
    ) -> None:
        self._engine = engine
        self._faults = faults
        self._calls = calls
        self._place = place
        self._routes: dict[tuple[str, str], Callable[[JSONValue, Place], JSONValue]] = {
            ("GET", "health"): lambda _body, _place: {"status": "ok", "pid": os.getpid()},
            ("GET", "records"): lambda _body, _place: self.records(),
            ("GET", "clock"): lambda _body, _place: {"now": engine.clock.now()},
            ("POST", "clock"): self._advance,
            ("GET", "faults"): lambda _body, _place: {"faults": faults.listing()},
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "quotas"): self._set_quota,
        }

    def answer(self, environ: WSGIEnvironment) -> Answer:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        path = environ["PATH_INFO"].removeprefix("/_wpfsm/").strip("/")
        body = read_body(environ)
        place = self._place(Signature.of(environ))
        try:
            raw = read_json(body) if body else {}
            if path.startswith("pools/") and method == "POST":
                return _json(self._strike(path.removeprefix("pools/"), raw, place))
            route = self._routes.get((method, path))
            if route is None:
                return _json({"error": f"no {method} {environ['PATH_INFO']}"}, NOT_FOUND)
            return _json(route(raw, place))
        except (ValueError, TypeError, KeyError, ServiceError) as error:
            return _json({"error": str(error)}, BAD_REQUEST)

    def records(self) -> Request:
        """Return every job and pool on record and the calls of this process."""
        store = self._engine.store
        with self._engine.transaction():
            jobs = [
                {f.name: getattr(job, f.name) for f in dataclasses.fields(job)} for job in store.all_jobs()
            ]
            pools = [dataclasses.asdict(pool) for pool in store.all_pools()]
        calls = [dataclasses.asdict(call) for call in self._calls.all()]
        document = {"jobs": jobs, "pools": pools, "calls": calls, "counts": self._calls.counts()}
        return cast("Request", json.loads(json.dumps(document, default=vars)))

    def _advance(self, body: JSONValue, _: Place) -> JSONValue:
        seconds = body.get("advance") if isinstance(body, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError('the body is {"advance": seconds}')
        self._engine.clock.advance(seconds)
        with self._engine.transaction() as now:
            self._engine.changed.set()
            return {"now": now}

    def _add_faults(self, body: JSONValue, _: Place) -> JSONValue:
        return {"added": cast("list[JSONValue]", self._faults.add(parse_rules(body)))}

    def _clear_faults(self, _body: JSONValue, _place: Place) -> JSONValue:
        self._faults.clear()
        return {"faults": []}

    def _set_quota(self, body: JSONValue, place: Place) -> JSONValue:
        """Apply a quota as support would; the body names its code or its full name."""
        if not isinstance(body, dict) or "value" not in body:
            raise ValueError('the body is {"quota": CODE OR NAME, "value": N}')
        wanted, value = body.get("quota"), body["value"]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
            raise ValueError(f"a quota is a number from 0 to {MOST}, not {value!r}")
        for quota in catalogue().values():
            if wanted in (quota.code, quota.name):
                with self._engine.transaction():
                    self._engine.quotas.apply(place, quota.code, float(value))
                return {"quota": quota.name, "value": float(value)}
        raise ValueError(f"no quota {wanted!r}")

    def _strike(self, job: str, body: JSONValue, place: Place) -> JSONValue:
        event = body.get("event") if isinstance(body, dict) else None
        if not isinstance(event, str) or event not in EVENTS:
            raise ValueError(f"event is one of {', '.join(EVENTS)}")
        self._engine.strike(place, job, EVENTS[event])
        return {"job": job, "event": event}


def _json(document: JSONValue, status: int = 200) -> Answer:
    return Answer(status, json.dumps(document).encode(), "application/json")
