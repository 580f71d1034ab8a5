"""How a release is made: pinned actions, least rights, and a bill of materials in the wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "action.yml"]


def read(file: Path) -> Any:
    """A workflow, as GitHub reads it but for ``on``, which YAML 1.1 takes for true."""
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(file: Path) -> None:
    """A tag can be moved to other code after it was looked at."""
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ] == []


def test_only_the_job_that_publishes_may_sign_and_it_runs_no_code_of_the_repository() -> None:
    """Whoever changes a test must not get at the identity that publishes."""
    release = read(ROOT / ".github" / "workflows" / "release.yml")
    assert release["permissions"] == {}
    assert release["jobs"]["build"]["permissions"] == {"contents": "read"}
    publish = release["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write", "attestations": "write"}
    assert [step for step in publish["steps"] if "run" in step or "checkout" in step.get("uses", "")] == []


def test_the_scripts_of_the_workflows_are_bash() -> None:
    """`bash -n` reads each of them; inputs reach them by the environment, never by substitution."""
    jobs = [*read(WORKFLOWS[0])["jobs"].values(), read(ROOT / "action.yml")["runs"]]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    for script in scripts:
        assert "${{" not in script
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def held(folder: Path, pools: list[dict[str, Any]], code: int = 0) -> subprocess.CompletedProcess[str]:
    """The action's own script, with a wpfsm that answers these pools."""
    script = next(step["run"] for step in read(ROOT / "action.yml")["runs"]["steps"] if "run" in step)
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (folder / "answer.json").write_text(json.dumps({"pools": pools}))
    made = folder / "wpfsm" / "bin"
    (commands / "python").write_text(
        f'#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p {made}; cp {commands}/pip {commands}/wpfsm {made}/; '
        f'else exec {sys.executable} "$@"; fi\n'
    )
    (commands / "pip").write_text("#!/bin/sh\n")
    (commands / "wpfsm").write_text(
        f'#!/bin/sh\necho "$@" > {folder}/words\ncat {folder}/answer.json\nexit {code}\n'
    )
    for file in commands.iterdir():
        file.chmod(0o755)
    variables = {
        "PATH": f"{commands}:/usr/bin:/bin", "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output"),
        "REGION": "eu-west-1", "OLDER_THAN": "10m", "APPLY": "false", "REQUIREMENT": "wpfsm",
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], env=variables, capture_output=True, text=True, check=False
    )


def test_the_action_fails_on_a_pool_that_nobody_owns(tmp_path: Path) -> None:
    """An orphan fails it, a held pool of a live loop does not, and an error of wpfsm is its own."""
    assert held(tmp_path / "a", [{"orphan": False}]).returncode == 0
    found = held(tmp_path / "b", [{"orphan": True}, {"orphan": False}])
    assert found.returncode == 1
    assert "1 warm pool(s) that nobody owns" in found.stdout
    assert (tmp_path / "b" / "output").read_text() == "held=1\n"
    assert "--region eu-west-1" in (tmp_path / "b" / "words").read_text()
    assert held(tmp_path / "c", [], code=4).returncode == 4


def test_the_wheel_gets_a_bill_of_materials(tmp_path: Path) -> None:
    """CycloneDX in .dist-info/sboms, listed in RECORD, with what the base requirements resolve to."""
    wheel = tmp_path / "wpfsm-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("wpfsm/cli.py", "")
        about = "Metadata-Version: 2.1\nName: wpfsm\nVersion: 9.9.9\nRequires-Dist: boto3>=1\nRequires-Dist: optuna; extra == 'bayes'\n"
        archive.writestr("wpfsm-9.9.9.dist-info/METADATA", about)
        archive.writestr("wpfsm-9.9.9.dist-info/RECORD", "wpfsm/cli.py,,\nwpfsm-9.9.9.dist-info/RECORD,,\n")
    subprocess.run([sys.executable, ROOT / ".ci" / "sbom", wheel], check=True, capture_output=True)
    with zipfile.ZipFile(wheel) as archive:
        bill = json.loads(archive.read("wpfsm-9.9.9.dist-info/sboms/wpfsm.cdx.json"))
        record = archive.read("wpfsm-9.9.9.dist-info/RECORD").decode()
        assert archive.testzip() is None
    names = {component["name"] for component in bill["components"]}
    assert {"boto3", "botocore", "urllib3"} <= names
    assert "optuna" not in names
    assert "sboms/wpfsm.cdx.json,sha256=" in record


def test_what_breaks_is_excluded_and_floors_are_what_is_tested() -> None:
    """ruamel.yaml 0.19.0 cannot be installed everywhere; nobody has tested an older Optuna."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(line.startswith("ruamel.yaml") and "!=0.19.0" in line for line in project["dependencies"])
    pinned = re.search(r"^optuna==(\d+\.\d+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    assert project["optional-dependencies"]["bayes"] == [f"optuna>={pinned[1]}"]
