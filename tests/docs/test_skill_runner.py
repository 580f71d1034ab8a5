"""The runner of the skill's evaluations: it says what it needs, asks, runs commands in a bare folder, and judges."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def runner() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("skill_evals", ROOT / "benchmarks" / "skill_evals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["skill_evals"] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(reply: Callable[[Any], list[dict[str, Any]]]) -> Iterator[tuple[str, list[Any]]]:
    """The Messages API on loopback; what it was asked is kept."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, self.headers["x-api-key"], body))
            content = json.dumps({"content": reply(body)}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def text(words: str) -> list[dict[str, Any]]:
    """An answer in words."""
    return [{"type": "text", "text": words}]


def test_without_a_model_or_a_key_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And runs nothing: exit code 2, and what can be judged without."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert runner().main(["--model", "some"]) == 2
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert runner().main([]) == 2
    said = capsys.readouterr().err
    assert said.count("this needs a model and a key") == 2
    assert "tests/docs/test_skill_evals.py" in said


def test_a_query_passes_when_the_choice_is_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that always takes the skill is right for half of the queries: exit code 1."""
    module = runner()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with answering(lambda _: text(f"`{module.SKILL.name}`")) as (url, asked):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        assert module.main(["--model", "some"]) == 1
    path, key, body = asked[0]
    assert (path, key, body["model"]) == ("/v1/messages", "k", "some")
    assert "Use this when someone wants several SageMaker training jobs" in body["system"]
    assert f"{len(asked) // 2} of {len(asked)} passed" in capsys.readouterr().out


def test_a_task_is_worked_on_in_a_bare_folder_and_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its files are there, the user's credentials are not; each expectation is judged by what happened."""
    module = runner()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    command = "ls; env; wpfsm explain --reason x --log job.log"

    def reply(body: Any) -> list[dict[str, Any]]:
        if "judge" in body["system"]:
            prompt = body["messages"][0]["content"]
            return text("yes\nit ran explain" if "explain was run" in prompt else "no\nnothing shows it")
        if len(body["messages"]) == 1:
            return [{"type": "tool_use", "id": "1", "name": "bash", "input": {"command": command}}]
        return text("It ran out of memory.")

    with answering(reply) as (url, asked):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        assert (
            module.main(
                ["--model", "m", "--run-commands", "--eval", "2", "--output", str(tmp_path / "r.json")]
            )
            == 1
        )
    output = asked[1][2]["messages"][-1]["content"][0]["content"]
    assert "job.log" in output
    assert "secret" not in output
    assert "cuda_oom" in output
    (result,) = json.loads((tmp_path / "r.json").read_text())["evals"]
    assert [verdict["met"] for verdict in result["expectations"]] == [True, False, False]
    assert result["transcript"][-1] == "agent: It ran out of memory."
