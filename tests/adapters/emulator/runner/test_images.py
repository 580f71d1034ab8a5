"""A job's Python environment: fresh each time, made from its image, not from where wpfsm runs."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from runner_bench import Bench, Sink, printed_json, shell_job

from wpfsm.adapters.emulator.runner import images
from wpfsm.adapters.emulator.runner.base import Ending, JobFailed
from wpfsm.adapters.emulator.runner.images import Images, make_environment

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1"
INSTALLED = "import importlib.metadata, json; print(json.dumps(sorted({d.name for d in importlib.metadata.distributions()})))"


def wheel(directory: Path, name: str, version: str = "1.0") -> Path:
    """Make a wheel of one module that knows its version."""
    path = directory / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    directory.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\ndef main(): print({name!r}, version)\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name}-run = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def image_environment(tmp_path: Path) -> Path:
    """An environment that stands for an image, with a package and a command of it."""
    environment = make_environment(
        Images(tmp_path / "images", {}).find(None), tmp_path / "an image", ""
    ).parent
    packages = next(environment.glob("lib/python3*/site-packages"))
    with zipfile.ZipFile(wheel(tmp_path / "wheels", "baked")) as archive:
        archive.extractall(packages)
    command = environment / "bin" / "baked-run"
    command.write_text(f"#!{environment}/bin/python3\nimport baked; baked.main()\n")
    command.chmod(0o755)
    return environment


def test_the_default_image_has_pip_and_nothing_else(bench: Bench, sink: Sink) -> None:
    """The default image is a plain one, not the environment that wpfsm runs in."""
    bench.run_script(INSTALLED)

    assert printed_json(sink) == ["pip"]


def test_what_one_job_installs_the_next_does_not_see(bench: Bench, sink: Sink) -> None:
    """Pip installs into the job's own environment, which ends with the job."""
    made = wheel(bench.root / "wheels", "extra")
    install = (
        f"pip install --quiet --no-index {made}; python3 -c 'import extra; print(extra.version)'; extra-run"
    )
    for name, script in (("one", install), ("two", "python -c 'import extra' 2>&1 | tail -n 1")):
        launch = bench.launch(name, shell_job(script))
        bench.run(launch)
        bench.runner.finish(launch)

    assert sink.lines() == ["1.0", "extra 1.0", "ModuleNotFoundError: No module named 'extra'"]


def test_an_image_is_the_environment_named_for_it(
    tmp_path: Path, bench: Bench, sink: Sink, image_environment: Path
) -> None:
    """A job of that image sees its packages and commands; a job of another image does not."""
    bench = Bench(tmp_path / "b", bench.s3, sink, images={URI: image_environment})
    script = "baked-run || echo no"
    for name, uri in (("one", URI), ("two", "other")):
        request = shell_job(script)
        request["AlgorithmSpecification"]["TrainingImage"] = uri  # type: ignore[call-overload, index]
        bench.run(bench.launch(name, request))

    assert sink.lines()[0] == "baked 1.0"
    assert sink.lines()[-1] == "no"


def test_a_job_can_replace_a_package_of_its_image(
    tmp_path: Path, bench: Bench, sink: Sink, image_environment: Path
) -> None:
    """A version that the job installs hides the image's, for its commands too, and leaves the image as it was."""
    bench = Bench(tmp_path / "b", bench.s3, sink, images={URI: image_environment})
    newer = wheel(tmp_path / "wheels", "baked", "2.0")
    for name, script in (("one", f"pip install -q --no-index {newer}; baked-run"), ("two", "baked-run")):
        request = shell_job(script)
        request["AlgorithmSpecification"]["TrainingImage"] = URI  # type: ignore[call-overload, index]
        bench.run(bench.launch(name, request))

    assert [line for line in sink.lines() if line.startswith("baked")] == ["baked 2.0", "baked 1.0"]


def test_an_images_own_train_command_is_its_default(
    tmp_path: Path, bench: Bench, sink: Sink, image_environment: Path
) -> None:
    """Without ContainerEntrypoint the image's ``train`` runs."""
    (image_environment / "bin" / "train").write_text(f"#!{image_environment}/bin/python3\nprint('trained')\n")
    bench = Bench(tmp_path / "b", bench.s3, sink, images={URI: image_environment})

    assert bench.run(bench.launch("own", {"AlgorithmSpecification": {"TrainingImage": URI}})) == Ending(0, "")
    assert sink.lines() == ["trained"]


def test_an_interpreter_can_stand_for_an_image(tmp_path: Path) -> None:
    """``--image URI=/usr/bin/python3`` is as good as an environment's directory."""
    found = Images(tmp_path, {URI: Path(sys.executable)}).find(URI)

    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert any((path / "boto3").is_dir() for path in found.packages)


def test_an_image_without_an_interpreter_cannot_be_pulled(tmp_path: Path) -> None:
    """The reason begins as the service's does, and says what is wrong here."""
    with pytest.raises(
        JobFailed, match=r"^ClientError: Cannot pull algorithm container\..*no Python interpreter"
    ):
        Images(tmp_path, {URI: tmp_path / "nothing"}).find(URI)


def test_the_default_image_can_be_built_from_the_wheel_that_comes_with_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that has no pip of its own still gives its jobs one."""
    ensurepip = pytest.importorskip("ensurepip")
    if not list(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")):
        pytest.skip("this Python comes without its wheel of pip")

    def nothing(name: str) -> None:
        raise images.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(images.importlib.metadata, "distribution", nothing)
    found = Images(tmp_path, {}).find(None)

    assert (found.packages[0] / "pip" / "__main__.py").is_file()


def test_installing_compiles_nothing_that_is_not_imported(bench: Bench, sink: Sink) -> None:
    """Byte code is made on import: compiling all of a large package costs more than installing it."""
    made = wheel(bench.root / "wheels", "extra")
    compiled = "find $(dirname $(command -v pip))/../lib -path '*__pycache__/extra.*' | wc -l"
    script = f"pip install -q --no-index {made}; {compiled}; python3 -c 'import extra'; {compiled}"
    bench.run(bench.launch("lazy", shell_job(script)))

    assert [line.strip() for line in sink.lines()] == ["0", "1"]


def test_an_unfinished_default_image_is_built_again(tmp_path: Path) -> None:
    """A directory under the final name is complete: what a killed build left is not taken for it."""
    root = tmp_path / "images"
    first = Images(root, {}).find(None).packages[0]
    shutil.move(first, f"{first}.1")

    assert (Images(root, {}).find(None).packages[0] / "pip").is_dir()


def test_a_pattern_stands_for_the_images_that_it_matches(tmp_path: Path) -> None:
    """The whole URI comes first, then the first pattern; any other image is the plain one."""
    named = {
        "*scikit*": Path(sys.executable),
        URI: tmp_path / "none",
        "*": tmp_path / "none",
    }
    found = Images(tmp_path, named).find(
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1"
    )
    assert found.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    with pytest.raises(JobFailed, match="no Python interpreter"):
        Images(tmp_path, named).find(URI)
    assert Images(tmp_path, {"*scikit*": tmp_path}).is_plain(URI)
