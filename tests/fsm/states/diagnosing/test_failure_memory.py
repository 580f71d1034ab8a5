"""What cured a failure in one loop cures it in another, and the other says where it has that from."""

from __future__ import annotations

import contextlib

from ask_stories import ask, learns, world_of
from crash_stories import JOB, POOL
from crash_world import LOOP_ID, Story, World

from wpfsm.fsm import controller
from wpfsm.fsm.records import JobPatch, PatchAttempt
from wpfsm.fsm.records.handoff import FailureHandoff
from wpfsm.state import codec

BROKEN = Story(
    loop_file={
        **ask().loop_file,
        "job": {**JOB, "hyperparameters": {"lr": 0.5}},
        "pool": POOL,
        "strategy": {"type": "fix"},
    },
    script=learns,
    source={"train.py": "train()  # broken\n"},
)


def edited_elsewhere(world: World, fingerprint: str) -> None:
    """Another loop of this database had the failure, and an edit of the script mended it."""
    before = world.sources().snapshot("src")
    (world.folder / "src" / "train.py").write_text("train()  # mended\n")
    after = world.sources().snapshot("src")
    (world.folder / "src" / "train.py").write_text("train()  # broken\n")
    patch = JobPatch(
        "edit", "an edit made during the hand-off (train.py)", f"edit:{after}", base=before, result=after
    )
    row = PatchAttempt(
        fingerprint, "elsewhere", "elsewhere-003", "script_bug", patch.key, patch, "worked", 1.0
    )
    with contextlib.closing(world.connect()) as connection:
        connection.execute(codec.upsert(PatchAttempt), codec.encode(row))
        connection.commit()


def test_an_edit_that_another_loop_remembers_says_from_which() -> None:
    """The failed job is mended without a hand-off, and history and patch name the job whose edit it was."""
    with world_of(BROKEN) as world:
        assert world.drive().exit_code == controller.HANDED_OFF
        with world.history() as history:
            waiting = history.find(LOOP_ID).handoff
    assert isinstance(waiting, FailureHandoff)
    with world_of(BROKEN) as world:
        edited_elsewhere(world, waiting.diagnosis.fingerprint)
        assert world.drive().exit_code == 0
        with world.history() as history:
            first, second = history.jobs(LOOP_ID)
            said = [event.why for event in history.events(LOOP_ID) if event.kind == "proceed"]
    assert first.patch is not None
    assert first.patch.why == "worked before on the same failure (elsewhere-003)"
    assert second.status == "Completed"
    assert any("worked before on the same failure (elsewhere-003)" in why for why in said)
