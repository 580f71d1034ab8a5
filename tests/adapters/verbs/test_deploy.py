"""The stack: its template is what the rows need, and it is refused to be removed while something is owed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from shared_rows import TABLE, owned

from wpfsm.adapters.engine import bundle
from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs import deploy
from wpfsm.fsm.errors import Refused
from wpfsm.state.shared.dynamo import definition


def members() -> Any:
    """The template as data; what it refers to is text."""
    yaml = YAML(typ="safe")
    yaml.constructor.add_multi_constructor("!", lambda loader, _suffix, node: getattr(node, "value", None))
    return yaml.load(deploy.template())


def test_the_template_is_clean(tmp_path: Path) -> None:
    """cfn-lint, which knows durable functions, finds nothing."""
    file = tmp_path / "template.yaml"
    file.write_text(deploy.template())
    lint = Path(sys.executable).with_name("cfn-lint")
    found = subprocess.run([lint, str(file)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_each_bundle_has_a_version_of_its_own() -> None:
    """Executions stay bound to the version that they began with; the alias moves on."""
    text = deploy.template("0123abcd")
    assert text.count("Version0123abcd") == 2
    assert "Version.Version" not in text


def test_the_table_of_the_template_is_the_one_that_the_rows_need() -> None:
    """Keys, indexes and what they show are written twice, and are the same."""
    made, wanted = members()["Resources"]["Table"]["Properties"], definition("wpfsm")
    for name in ("AttributeDefinitions", "KeySchema", "BillingMode"):
        assert made[name] == wanted[name]

    def plain(indexes: Any) -> Any:
        return [{**i, "Projection": {**i["Projection"], "NonKeyAttributes": sorted(i["Projection"].get("NonKeyAttributes", ()))}}
                for i in indexes]  # fmt: skip

    assert plain(made["GlobalSecondaryIndexes"]) == plain(wanted["GlobalSecondaryIndexes"])


def test_what_is_kept_outlives_the_stack_and_rights_are_few() -> None:
    """Table and bucket are retained and encrypted; the engine may pass one role, and no action is a wildcard."""
    resources = members()["Resources"]
    for name in ("Table", "Bucket"):
        assert resources[name]["DeletionPolicy"] == "Retain"
    assert resources["Table"]["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    statements = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    actions = [
        a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    ]
    assert not [action for action in actions if "*" in action]
    assert next(s for s in statements if s["Action"] == "iam:PassRole")["Resource"] == "TrainingRole"
    assert [s["Sid"] for s in statements if s["Resource"] == "*"] == ["FindJobs"]


def test_the_bundle_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    """So that a second deploy finds no change; what pip notes about its folder does not count."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("x = 1\n")
        (tmp_path / name / "RECORD").write_text(name)
    assert bundle.zipped(tmp_path / "a") == bundle.zipped(tmp_path / "b")
    assert not [name for name in bundle.requirements() if name.startswith("sagemaker")]


def test_the_engine_is_not_removed_while_a_loop_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, with the command that ends the loop."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    outputs = [
        {"OutputKey": "Table", "OutputValue": TABLE},
        {"OutputKey": "Bucket", "OutputValue": "wpfsm-bucket"},
    ]
    monkeypatch.setattr(deploy, "_stack", lambda *_: {"Outputs": outputs})
    with owned(), pytest.raises(Refused, match="lr-1"):
        deploy.deploy(
            Options("none", Path("x")),
            name="wpfsm",
            role=None,
            region=None,
            print_template=False,
            remove=True,
        )
