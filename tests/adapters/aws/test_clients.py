"""Where calls go, and with whose credentials."""

from __future__ import annotations

import pytest

from wpfsm.adapters.aws.clients import LOCAL_ACCESS_KEY, Clients, Target, environment


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:4566", True), ("http://localhost:1", True), ("http://[::1]:4566", True), ("", False),
        ("https://sagemaker.us-east-1.amazonaws.com", False), ("http://localhost.example.org", False),
        ("http://10.0.0.1", False), ("http://127.0.0.1@example.org/", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_loopback(url: str, here: bool) -> None:
    """A name that begins like this machine's is another's."""
    assert Target("us-east-1", url).loopback is here


def test_the_users_credentials_never_reach_the_embedded_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this process nor a child of it sends them there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    target = Target("us-east-1", "http://127.0.0.1:4566", local=True, token="secret-of-the-emulator")
    found = Clients(target).session.get_credentials()
    assert found is not None
    assert (found.access_key, found.token) == (LOCAL_ACCESS_KEY, "secret-of-the-emulator")
    told = environment(target)
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SESSION_TOKEN"]) == (
        LOCAL_ACCESS_KEY,
        "secret-of-the-emulator",
    )


def test_a_child_for_aws_itself_keeps_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the region is set: profile and credentials are the user's."""
    assert environment(Target("eu-west-1")) == {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}


def test_no_client_tries_again_by_itself() -> None:
    """The controller knows whether an outcome is unknown; botocore would hide it."""
    sagemaker = Clients(Target("us-east-1", "http://127.0.0.1:4566", local=True)).sagemaker
    assert sagemaker.meta.config.retries["total_max_attempts"] == 1
