"""What a CloudFormation template may hold that moto does not know: a function's alias, and a version's number.

Only a class that exists before moto's CloudFormation is asked for the first time is known to it, so this module is
imported with the first request for CloudFormation. That takes some seconds, which nobody else should wait.
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaFunction, lambda_backends
from moto.core.common_models import CloudFormationModel


class _Referred:
    """What both have in common: a reference is the ARN, and neither has a name of the stack's.

    No ``CloudFormationModel`` itself: moto knows the direct subclasses of that only, and takes each for a resource.

    Args:
        arn: Its ARN.
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn

    @property
    def physical_resource_id(self) -> str:
        """What a reference to it stands for: its ARN."""
        return self._arn

    @staticmethod
    def cloudformation_name_type() -> str:
        """A version has no name, and an alias has one within its function."""
        return ""


class FunctionVersion(_Referred, CloudFormationModel):
    """``AWS::Lambda::Version``, which moto knows, but not its number.

    Args:
        function: The function as it was published.
    """

    def __init__(self, function: LambdaFunction) -> None:
        super().__init__(str(function.function_arn))
        self._version = str(function.version)

    @staticmethod
    def cloudformation_type() -> str:
        """As a template has it."""
        return "AWS::Lambda::Version"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Its number and its ARN."""
        return attr in ("Version", "FunctionArn")

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 - moto's signature
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> FunctionVersion:
        """Publish the function as it now is."""
        name = str(cloudformation_json["Properties"]["FunctionName"])
        published = lambda_backends[account_id][region_name].publish_version(name)
        assert published is not None, "a version's function is made before it"
        return cls(published)

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What ``GetAtt`` gives."""
        return self._version if attribute_name == "Version" else self._arn

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing: versions go with their function, as where they are retained."""


class FunctionAlias(_Referred, CloudFormationModel):
    """``AWS::Lambda::Alias``: a name for one version of a function, which an update moves on.

    Args:
        alias: As moto's Lambda keeps it.
        function: The name of its function.
    """

    def __init__(self, alias: LambdaAlias, function: str) -> None:
        super().__init__(str(alias.arn))
        self._alias = alias
        self._function = function

    @staticmethod
    def cloudformation_type() -> str:
        """As a template has it."""
        return "AWS::Lambda::Alias"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,  # noqa: ARG003 - moto's signature
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> FunctionAlias:
        """Create it."""
        given = cloudformation_json["Properties"]
        backend = lambda_backends[account_id][region_name]
        name, function, version = _members(given)
        return cls(backend.create_alias(name, function, version, given.get("Description", ""), ""), function)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: FunctionAlias,
        new_resource_name: str,  # noqa: ARG003 - moto's signature
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> FunctionAlias:
        """Move it on to another version."""
        given = cloudformation_json["Properties"]
        name, function, version = _members(given)
        backend = lambda_backends[account_id][region_name]
        backend.update_alias(name, function, version, given.get("Description", ""), "")
        return original_resource

    def delete(self, account_id: str, region_name: str) -> None:
        """Remove it; its function may be gone before it."""
        backend = lambda_backends[account_id][region_name]
        if any(each.function_name == self._function for each in backend.list_functions()):
            backend.delete_alias(self._alias.name, self._function)


def _members(given: dict[str, Any]) -> tuple[str, str, str]:
    return str(given["Name"]), str(given["FunctionName"]), str(given["FunctionVersion"])
