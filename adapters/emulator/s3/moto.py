"""The fallback: moto's server application, loaded when the first request needs it or in the background."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DYNAMODB = "DynamoDB_"
"""How the target of a request for DynamoDB begins, whatever the version of its interface."""
CLOUDFORMATION = "/cloudformation/aws4_request"
"""In the signature of a request for CloudFormation, which makes and removes tables."""

MISSING = "It needs the extra: pip install 'wpfsm[local]'"


class Moto:
    """S3, the rest of CloudWatch Logs, STS and IAM, and whatever else moto offers; all in memory."""

    def __init__(self) -> None:
        self._lock, self._dynamodb = threading.Lock(), threading.Lock()
        self._app: WSGIApplication | None = None

    def load(self) -> WSGIApplication:
        """Import moto, which takes a second or two, and build its application once.

        Raises:
            RuntimeError: The extra is not installed; the message says how to install it.
        """
        with self._lock:
            if self._app is None:
                try:
                    from moto import server
                except ImportError as error:
                    raise RuntimeError(f"{error}. {MISSING}") from error
                dispatcher = server.DomainDispatcherApplication(server.create_backend_app)  # type: ignore[attr-defined]
                self._app = cast("WSGIApplication", dispatcher)
            return self._app

    def load_in_background(self) -> None:
        """Begin to load, so that the first request does not wait as long."""
        threading.Thread(target=self.load, name="load-fallback", daemon=True).start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        application = self.load()
        makes_stacks = CLOUDFORMATION in environ.get("HTTP_AUTHORIZATION", "")
        if not makes_stacks and not environ.get("HTTP_X_AMZ_TARGET", "").startswith(DYNAMODB):
            return application(environ, start_response)
        if makes_stacks:
            from wpfsm.adapters.emulator.api import stack_resources  # noqa: F401 - moto finds its classes
        with self._dynamodb:  # moto changes a table while another request of it iterates over the table
            return list(application(environ, start_response))
