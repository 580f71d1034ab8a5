"""What Lambda does around a durable function, on this machine: a process for each invocation, which may be killed.

``python lambda_host.py PORT RUNNER_URL WORKERS_FOLDER`` answers Lambda's API: a caller's Invoke starts an execution
at AWS's local control plane, the control plane's own Invoke runs the handler in a new process, and everything else
is passed on to the control plane. Each worker notes its process id in the folder while it runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wpfsm.adapters.engine import bundle

RUNNER, WORKERS = (sys.argv[2], Path(sys.argv[3])) if len(sys.argv) > 3 else ("", Path())
CODE = """
import importlib.abc, json, os, sys, types
class OnlyTheBundle(importlib.abc.MetaPathFinder):
    "A function has what was packed for it, and nothing else that is installed here."
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in LEFT_OUT:
            raise ImportError(f'{name} is not in the bundle')
LEFT_OUT = frozenset(os.environ.get('WPFSM_LEFT_OUT', '').split())
sys.meta_path.insert(0, OnlyTheBundle())
from wpfsm.adapters.engine.durable import handler
context = types.SimpleNamespace(
    aws_request_id="1", function_name="wpfsm", invoked_function_arn="arn", tenant_id=None, log_group_name="",
    log_stream_name="", memory_limit_in_mb=512, function_version="1", identity=None, client_context=None,
    get_remaining_time_in_millis=lambda: 600000, log=print,
)
real, sys.stdout = sys.stdout, sys.stderr
real.write(json.dumps(handler(json.load(sys.stdin), context)))
"""


def left_out() -> str:
    """What can be imported here and not in the function: all but the bundle's packages and what these need."""
    wanted, needed = list(bundle.requirements()), set()
    while wanted:
        name = canonicalize_name(Requirement(wanted.pop()).name)
        if name not in needed:
            needed.add(name)
            given = [Requirement(text) for text in metadata.requires(name) or ()]
            wanted += [str(r) for r in given if r.marker is None or r.marker.evaluate({"extra": ""})]
    modules = metadata.packages_distributions()
    return " ".join(
        module
        for module, owners in modules.items()
        if module != "wpfsm" and not {canonicalize_name(owner) for owner in owners} & needed
    )


class Host(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Invoke a function, or pass on."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not urllib.parse.urlsplit(self.path).path.endswith("/invocations"):
            self._pass_on("POST", body)
        elif self.headers.get("X-Dex-Handler-Invoke"):
            self._run(body)
        else:
            self._start(body)

    def do_GET(self) -> None:
        """Pass on."""
        self._pass_on("GET", None)

    def _run(self, body: bytes) -> None:
        with (WORKERS / "log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
            note = WORKERS / f"{worker.pid}.pid"
            note.touch()
            output, _ = worker.communicate(body)
            note.unlink(missing_ok=True)
            (WORKERS / f"{worker.pid}.{'ok' if worker.returncode == 0 else 'died'}").touch()
        if worker.returncode:
            error = json.dumps(
                {"errorType": "Runtime.ExitError", "errorMessage": f"exit {worker.returncode}"}
            )
            self._answer(200, error.encode(), {"X-Amz-Function-Error": "Unhandled"})
        else:
            self._answer(200, output)

    def _start(self, body: bytes) -> None:
        name = self.headers["X-Amz-Durable-Execution-Name"]
        asked = {
            "AccountId": "123456789012", "FunctionName": "wpfsm", "FunctionQualifier": "live", "ExecutionName": name,
            "ExecutionTimeoutSeconds": 3600, "ExecutionRetentionPeriodDays": 1, "Input": body.decode(),
            "InvocationId": name,
        }  # fmt: skip
        self._pass_on("POST", json.dumps(asked).encode(), "/start-durable-execution", 202)

    def _pass_on(self, method: str, body: bytes | None, path: str = "", code: int = 0) -> None:
        headers = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
        request = urllib.request.Request(
            RUNNER + (path or self.path), data=body, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                self._answer(code or answer.status, answer.read() if not code else b"")
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the workers' own log says what matters."""


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    os.environ["WPFSM_LEFT_OUT"] = left_out()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Host).serve_forever()
