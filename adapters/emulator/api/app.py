"""The endpoint as a WSGI application: our services in front, everything else to a fallback.

A request is ours by its ``X-Amz-Target`` (SageMaker, Service Quotas, Price List, the log group of training
jobs) or by its query ``Action`` (two operations of IAM and STS). It is checked against the service's model
before anything sees it. No request is answered with a status of 500 unless a fault was asked for: clients
retry those ten times, which hides a mistake for twenty seconds.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wpfsm.adapters.emulator.api import not_emulated, query_protocol
from wpfsm.adapters.emulator.api.admin import Admin
from wpfsm.adapters.emulator.api.call_log import CallLog
from wpfsm.adapters.emulator.api.cloudwatch_logs import CloudWatchApi
from wpfsm.adapters.emulator.api.fallback import Fallback, moto_has, read_again
from wpfsm.adapters.emulator.api.identity import IdentityApi
from wpfsm.adapters.emulator.api.model_validation import not_an_object, validate
from wpfsm.adapters.emulator.api.operations import Api, Call
from wpfsm.adapters.emulator.api.price_list import PriceApi
from wpfsm.adapters.emulator.api.rate_limits import Rates
from wpfsm.adapters.emulator.api.service_quotas import QuotaApi
from wpfsm.adapters.emulator.api.session_tags import Sessions
from wpfsm.adapters.emulator.api.training import TrainingApi
from wpfsm.adapters.emulator.api.wire import (
    Answer,
    Signature,
    json_answer,
    json_refusal,
    read_body,
    read_json,
)
from wpfsm.adapters.emulator.engine.clock import ManualClock
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.errors import ConnectionCut, ServiceError, not_stored
from wpfsm.adapters.emulator.engine.faults import Drawn, Faults, Kind
from wpfsm.adapters.emulator.engine.records import Place, Request
from wpfsm.adapters.emulator.engine.service_model import operation as operation_model
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

QUERY_SERVICES = frozenset({"iam", "sts"})
TAG_OPERATIONS = frozenset({"AddTags", "ListTags", "DeleteTags"})


@dataclass(frozen=True)
class Received:
    """A request for one of our services, before anything is known of its worth.

    Attributes:
        render: Makes the answer of a result, in the client's protocol.
        refuse: Makes the answer of an error, in the client's protocol.
    """

    service: str
    api: Api
    operation: str
    request: JSONValue
    render: Callable[[Request], Answer]
    refuse: Callable[[ServiceError], Answer]

    @property
    def job(self) -> str:
        """The training job that it names, empty when it names none."""
        name = self.request.get("TrainingJobName") if isinstance(self.request, dict) else None
        return name if isinstance(name, str) else ""


class App:
    """The endpoint.

    Args:
        engine: Training jobs and pools.
        fallback: Answers whatever is not answered here.
    """

    def __init__(self, engine: Engine, fallback: WSGIApplication) -> None:
        self.engine = engine
        self.faults = Faults(engine.settings.seed)
        self.calls = CallLog()
        self._fallback = Fallback(fallback, self.calls, engine.store)
        standing = isinstance(engine.clock, ManualClock)  # then the test's time is the only one
        self._rates = Rates(engine.settings.switches, engine.clock.now if standing else time.monotonic)
        self._sessions = Sessions()
        self._identity = IdentityApi()
        self._training = TrainingApi(engine)
        self._moto_pretends = engine.settings.switches.moto_pretends
        self._logs = CloudWatchApi(engine, self._fallback.log_groups)
        self._targets: dict[str, tuple[str, Api]] = {
            "SageMaker": ("sagemaker", self._training),
            "ServiceQuotasV20190624": ("service-quotas", QuotaApi(engine)),
            "AWSPriceListService": ("pricing", PriceApi(engine.settings.switches)),
            "Logs_20140328": ("logs", self._logs),
        }
        self._admin = Admin(engine, self.faults, self.calls, self.place)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionCut: A fault wants the client to get no answer.
        """
        try:
            return self._route(environ, start_response)
        except ConnectionCut:
            raise
        except Exception as error:
            logger.exception("a request failed")
            return json_refusal(_failure(error)).send(start_response)

    def _route(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/_wpfsm/"):
            return self._admin.answer(environ).send(start_response)
        prefix, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        signature = Signature.of(environ)
        if prefix in self._targets:
            body = read_body(environ)
            received = self._read_json(prefix, operation, body)
            if received is None:
                return self._fall_through(read_again(environ, body), start_response, signature)
            return self._perform(received, signature).send(start_response)
        if signature.service in QUERY_SERVICES:
            return self._query(environ, start_response, signature)
        if (invoked := not_emulated.invocation(environ)) and not self._moto_pretends:
            return json_refusal(not_emulated.refusal(invoked)).send(start_response)
        return self._fall_through(environ, start_response, signature)

    def gave(self, token: str) -> bool:
        """Tell whether a session token was given to a caller, who may use it from then on."""
        return self._sessions.gave(token)

    def place(self, signature: Signature) -> Place:
        """Return account and region of a caller."""
        settings = self.engine.settings
        key = signature.access_key
        own = key if len(key) == 12 and key.isdigit() else settings.account
        return settings.accounts.get(key, own), signature.region

    # Which requests are ours

    def _read_json(self, prefix: str, operation: str, body: bytes) -> Received | None:
        """Read a JSON 1.1 request; None when it is the fallback's."""
        service, api = self._targets[prefix]
        try:
            request = read_json(body or b"{}")
        except ValueError:
            request = None  # nobody's: it is refused here
        if request is not None and not self._is_ours(service, api, operation, request):
            return None
        return Received(service, api, operation, request, json_answer, json_refusal)

    def _is_ours(self, service: str, api: Api, operation: str, request: JSONValue) -> bool:
        if service == "logs":
            return self._logs.owns(operation, request)
        if service != "sagemaker":
            return True
        if operation in TAG_OPERATIONS and isinstance(request, dict):
            return self._training.owns(str(request.get("ResourceArn", "")))
        if operation == "Search" and isinstance(request, dict):
            return not not_emulated.searches_records(request)
        # What is only remembered, such as models and experiments: as much of it as the fallback has learned.
        known = operation_model("sagemaker", operation) is not None
        pretends = not_emulated.runs_something(operation) and not self._moto_pretends
        return operation in api.operations or not known or pretends or not moto_has(operation)

    def _query(
        self, environ: WSGIEnvironment, start_response: StartResponse, signature: Signature
    ) -> Iterable[bytes]:
        body = read_body(environ)
        form = query_protocol.read_form(body)
        service, operation = signature.service, form.get("Action", "")
        known = operation_model(service, operation) is not None
        if operation not in self._identity.operations or not known:
            chunks = self._fall_through(read_again(environ, body), start_response, signature)
            if service == "sts":
                chunks = [b"".join(chunks)]
                self._sessions.remember(form, chunks[0])
            return chunks
        received = Received(
            service,
            self._identity,
            operation,
            query_protocol.read_request(service, operation, form),
            lambda result: query_protocol.answer(service, operation, result),
            query_protocol.refusal,
        )
        return self._perform(received, signature).send(start_response)

    def _fall_through(
        self, environ: WSGIEnvironment, start_response: StartResponse, signature: Signature
    ) -> Iterable[bytes]:
        return self._fallback.answer(environ, start_response, signature, self.place(signature))

    # What is done with them

    def _perform(self, received: Received, signature: Signature) -> Answer:
        """Carry out a request, or say in its protocol why not; note either in the call log."""
        place = self.place(signature)
        faults = self.faults.draw(received.operation, received.job)
        with self.calls.record(self.engine.clock.now, received.operation, received.job, place) as outcome:
            try:
                return received.render(self._carry_out(received, signature, faults))
            except ServiceError as error:
                outcome.is_(error.code)
                return received.refuse(error)
            except ConnectionCut as cut:
                outcome.is_(str(cut))
                raise
            except Exception as error:
                logger.exception("%s failed", received.operation)
                outcome.is_("EmulatorFailure")
                return received.refuse(_failure(error))

    def _carry_out(self, received: Received, signature: Signature, faults: Drawn) -> Request:
        operation, place = received.operation, self.place(signature)
        if slow := faults.first(Kind.SLOW):
            self.engine.clock.sleep(slow.seconds)
        if faults.first(Kind.TIMEOUT_BEFORE_WRITE):
            raise ConnectionCut(written=False)
        if refusal := faults.refusal(received.request):
            raise refusal
        if received.request is None:
            raise not_an_object()
        if operation not in received.api.operations:
            raise not_emulated.refusal(operation)
        self._rates.check(operation, place)
        valid = validate(received.service, operation, received.request)
        tags = self._sessions.tag_keys(signature.access_key)
        result = received.api.answer(Call(place, operation, valid, faults, tags))
        if faults.first(Kind.TIMEOUT_AFTER_WRITE):
            raise ConnectionCut(written=True)
        return faults.spoil(result)


def _failure(error: Exception) -> ServiceError:
    """Return the refusal for a mistake of the emulator itself."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return not_stored("the disk is full")
    return ServiceError("EmulatorFailure", f"{type(error).__name__}: {error}")
