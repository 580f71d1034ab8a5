"""The stack: its template is what the rows need, and it is refused to be removed while something is owed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cli_in_process import wpfsm
from ruamel.yaml import YAML
from team import ROLE, TABLE, Team

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.engine import bundle
from wpfsm.adapters.verbs import deploy
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


def code_of(team: Team) -> str:
    """What names the code that the turns would run."""
    return str(team.client("lambda").get_function(FunctionName="wpfsm-turns")["Configuration"]["CodeSha256"])


def test_a_deployment_is_made_found_unchanged_updated_and_removed(team: Team) -> None:
    """Created once, then "no change"; another bundle is another version; what is open keeps it, the history stays."""
    before = code_of(team)
    again = team.run("deploy")
    assert code_of(team) == before
    assert again.out.splitlines() == ["no change", f"export WPFSM_DB=dynamodb://us-east-1/{TABLE}"]
    team.packages["package.py"] = "x = 2\n"
    updated = team.run("deploy", "-o", "json").document["deploy"]
    assert updated["changed"]
    assert updated["function"].endswith(":function:wpfsm-turns:live")
    assert code_of(team) != before
    stack = team.client("cloudformation").describe_stack_resources(StackName="wpfsm")["StackResources"]
    assert f"Version{updated['bundle']}" in [each["LogicalResourceId"] for each in stack]

    loop_id = team.start(team.loop("open"))
    refused = team.run("deploy", "--remove", code=3)
    assert f"wpfsm stop {loop_id}" in refused.err
    team.run("stop", loop_id)
    assert "stay, with every loop's history" in team.run("deploy", "--remove").out
    assert team.client("lambda").list_functions()["Functions"] == []
    assert team.document(loop_id)["loop"]["state"] == "Closed"


def test_a_table_that_an_earlier_stack_left_is_not_run_into(team: Team) -> None:
    """CloudFormation would fail half-way: it is refused before, with what can be done."""
    team.run("deploy", "--remove")
    refused = team.run("deploy", "--training-role", ROLE, code=3)
    assert "delete-table" in refused.err
    assert team.deploy("--name", "another").out.endswith("dynamodb://us-east-1/another\n")


def test_a_new_stack_wants_its_training_role(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Nothing is built or uploaded before the one role is named."""
    ran = wpfsm("deploy", "--endpoint-url", sagemaker_emulator.url)
    assert ran.code == 2
    assert "--training-role" in ran.err


def test_the_engine_is_refused_where_nothing_would_run(team: Team) -> None:
    """The stack is kept, and its functions are not run: a call of one says so and does not pretend."""
    with pytest.raises(ClientError, match="does not offer Invoke"):
        team.client("lambda").invoke(FunctionName="wpfsm-turns:live", Payload=b"{}")
