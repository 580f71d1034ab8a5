"""Who asks: the account and the region of one request."""

from __future__ import annotations

from pathlib import Path

from emulator_requests import send, training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator


def test_an_account_comes_from_the_settings_or_the_access_key(stage: Stage) -> None:
    """Twelve digits are their own account; other keys have the one of the map, or of the settings."""
    settings = Settings(account="111111111111", accounts={"AKIAOTHER": "222222222222"})
    with Emulator(settings) as emulator:
        for key, account in (
            ("anything", "111111111111"),
            ("AKIAOTHER", "222222222222"),
            ("333333333333", "333333333333"),
        ):
            sts = emulator.session(account=key).client("sts")
            assert sts.get_caller_identity()["Account"] == account


def test_a_region_is_no_path(tmp_path: Path) -> None:
    """A region that leads out of its account's folder is none: the default region is meant."""
    with Emulator(state=tmp_path) as emulator:
        status, answer = send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"), region="..")
    assert (status, answer["TrainingJobArn"].split(":")[3]) == (200, "us-east-1")
