"""What the SDK's driver prints before a script begins is one line."""

from __future__ import annotations

from wpfsm.adapters.terminal.driver_noise import MOST, folded

DRIVER = ["Starting training script", "++ python3 --version", "Python 3.11.7", "SM_HPS={}", "++ set +x"]


def test_the_drivers_block_becomes_one_line_and_the_rest_stays() -> None:
    """With how many lines there were, and how they are had."""
    assert list(folded([*DRIVER, "epoch=1", "++ mine"], "--raw shows them")) == [
        "… 5 lines of the SDK's driver, the environment among them; --raw shows them",
        "epoch=1",
        "++ mine",
    ]


def test_the_drivers_commands_behind_its_block_are_folded_with_it() -> None:
    """The shell echoes them up to the end of the job; what the script prints looks like none of them."""
    code = "/tmp/x/opt/ml/input/data"
    later = [
        f"++ cd {code}/code",
        "++ echo 'Installing requirements'",
        "Installing requirements",
        f"++ /env/bin/python3 {code}/sm_drivers/scripts/install_requirements.py requirements.txt",
        "++ echo 'Running Basic Script driver'",
        "Running Basic Script driver",
        f"++ /env/bin/python3 {code}/sm_drivers/distributed_drivers/basic_script_driver.py",
        "Executing command: python3 train.py",
        "++ mine",
        "++ echo 'Training Container Execution Completed'",
        "Training Container Execution Completed",
    ]
    assert list(folded([*DRIVER, *later])) == [
        "… 7 lines of the SDK's driver, the environment among them",
        "Installing requirements",
        "Executing command: python3 train.py",
        "++ mine",
        "Training Container Execution Completed",
    ]


def test_a_job_that_died_in_the_driver_shows_its_lines() -> None:
    """They say why."""
    assert list(folded(DRIVER[:3])) == DRIVER[:3]


def test_a_block_that_does_not_end_is_no_block() -> None:
    """A script that happens to print the driver's first line loses nothing."""
    lines = ["Starting training script", *map(str, range(2 * MOST))]
    assert list(folded(lines)) == lines
