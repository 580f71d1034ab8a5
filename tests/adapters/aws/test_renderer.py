"""What the renderer asks the SDK for."""

from __future__ import annotations

from pathlib import Path

from wpfsm.adapters.aws.renderer import with_absolute_inputs


def test_a_channel_that_is_a_folder_is_named_in_full(tmp_path: Path) -> None:
    """The SDK uploads a folder, wherever its process runs; an S3 URI stays as it is."""
    loop_file = {"name": "l", "job": {"entry": "t.py", "inputs": {"train": "data/", "test": "s3://b/k"}}}
    asked = with_absolute_inputs(loop_file, tmp_path)
    assert asked == {
        "name": "l",
        "job": {"entry": "t.py", "inputs": {"train": str(tmp_path / "data"), "test": "s3://b/k"}},
    }
