"""Pins: which one is tried for which message, and that nothing else in the file changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.distributions import is_known, requirement_for, table
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import Material, PastPatch, Patch, propose

PIP_CONFLICT = """\
ERROR: Cannot install -r requirements.txt (line 1) and tokenizers==0.19.1 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested tokenizers==0.19.1
    transformers 4.30.0 depends on tokenizers!=0.11.3, <0.14 and >=0.11.1

To fix this you could try to:
1. loosen the range of package versions you've specified
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/
"""
BUILD_THAT_FAILED_EARLY = """\
Collecting good==1
  Preparing metadata: done
Collecting oldie==0.3 (from -r requirements.txt (line 2))
  Preparing metadata (setup.py): finished with status 'error'
  error: subprocess-exited-with-error
"""
PIP_CONFLICT_AS_CAPTURED = """\
INFO: pip is looking at multiple versions of transformers to determine which version is compatible with other requirements.

The conflict is caused by:
    The user requested tokenizers==0.19.1
    transformers 4.30.0 depends on tokenizers<0.14

To fix this you could try to:
1. loosen the range of package versions you've specified
2. remove package versions to allow pip attempt to solve the dependency conflict

ERROR: Cannot install -r r.txt (line 1) and tokenizers==0.19.1 because these package versions have conflicting dependencies.
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/
"""
PIP_CONFLICT_OF_TWO = """\
ERROR: Cannot install datasets==3.0.0 and old==1.0 because these package versions have conflicting dependencies.
The conflict is caused by:
    datasets 3.0.0 depends on numpy>=1.17
    old 1.0 depends on numpy<1.10
ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/
"""
UV_CONFLICT = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because transformers==4.30.0 depends on tokenizers>=0.11.1,<0.14 and you
      require tokenizers==0.19.1, we can conclude that your requirements are
      unsatisfiable.
"""


def pin(log: str, text: str | None = "", **material) -> str | None:
    """The requirements file after the proposed patch; None when there is none."""
    files = {} if text is None else {"requirements.txt": text}
    patch = propose(
        "pin_requirement",
        explain("", log),
        Material(files=files, requirements_path="requirements.txt", **material),
    )
    return patch.files["requirements.txt"] if isinstance(patch, Patch) else None


@pytest.mark.parametrize(
    ("log", "before", "after"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", "torch\n", "torch\nopencv-python-headless\n"),
        ("ModuleNotFoundError: No module named 'sklearn.linear_model'", "", "scikit-learn\n"),
        ("ModuleNotFoundError: No module named 'google.cloud.storage'", "", "google-cloud-storage\n"),
        ("ModuleNotFoundError: No module named 'annotated_types'", "a\n", "a\nannotated-types\n"),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "", "setuptools<81\n"),
        (
            "ImportError: Using X requires Accelerate: `pip install 'accelerate>=0.26.0'`",
            "",
            "accelerate>=0.26.0\n",
        ),
        ("AttributeError: module 'numpy' has no attribute 'bool'.", "numpy\n", "numpy<1.24\n"),
        ("AttributeError: module 'numpy' has no attribute 'float_'", "", "numpy<2\n"),
        (
            "ImportError: cannot import name 'cached_download' from 'huggingface_hub'",
            "huggingface_hub\n",
            "huggingface_hub<0.26\n",
        ),
        ("ImportError: cannot import name 'New' from 'peft'", "peft==0.4.0  # why\n", "peft>0.4.0  # why\n"),
        (
            "Successfully installed keras-nlp-1.0 widgets-3.2.1\nImportError: cannot import name 'Gone' from 'widgets'",
            "widgets\n",
            "widgets<3\n",
        ),
        (
            "ImportError: tokenizers>=0.11.1,!=0.11.3,<0.14 is required for a normal functioning of this module, but found tokenizers==0.19.1.",
            "tokenizers==0.19.1\n",
            "tokenizers>=0.11.1,!=0.11.3,<0.14\n",
        ),
        (
            "ValueError: numpy.dtype size changed, may indicate binary incompatibility.",
            "numpy==2.1.0\n",
            "numpy<2\n",
        ),
        (
            PIP_CONFLICT,
            "transformers==4.30.0\ntokenizers==0.19.1\n",
            "transformers==4.30.0\ntokenizers>=0.11.1,!=0.11.3,<0.14\n",
        ),
        (
            UV_CONFLICT,
            "transformers==4.30.0\ntokenizers==0.19.1\n",
            "transformers==4.30.0\ntokenizers>=0.11.1,<0.14\n",
        ),
        (PIP_CONFLICT_OF_TWO, "datasets==3.0.0\nold==1.0\n", "datasets\nold==1.0\n"),
        (
            "datasets 2.14.0 requires fsspec[http]<2024.0,>=2021.11.1, but you have fsspec 2024.6.0 which is incompatible.",
            "fsspec==2024.6.0\n",
            "fsspec[http]>=2021.11.1,<2024.0\n",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement torch==2.9.9 (from versions: 1.13.0, 2.0.0, 2.2.0, 3.0.0rc1, 3.0.0)\nERROR: No matching distribution found for torch==2.9.9",
            "torch==2.9.9\n",
            "torch==2.2.0\n",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement a>=5 (from versions: 1.0, 2.0)\n",
            "a>=5\n",
            "a==2.0\n",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement sklearn==1.2 (from versions: none)\n",
            "sklearn==1.2\n",
            "scikit-learn\n",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement b<1 (from a==2.0->-r requirements.txt (line 1)) (from versions: 3.0, 4.0)\n",
            "a==2.0\n",
            "a\n",
        ),
        (
            BUILD_THAT_FAILED_EARLY,
            "good==1\noldie==0.3\n",
            "good==1\noldie>0.3\n",
        ),
        (
            PIP_CONFLICT_AS_CAPTURED,
            "transformers==4.30.0\ntokenizers==0.19.1\n",
            "transformers==4.30.0\ntokenizers<0.14\n",
        ),
        ("ERROR: Failed building wheel for tokenizers", "tokenizers==0.10.0\n", "tokenizers>0.10.0\n"),
        ("  \u00d7 Failed to build `pyarrow==6.0.1`\n", "pyarrow==6.0.1\n", "pyarrow>6.0.1\n"),
    ],
)
def test_the_message_gives_the_pin(log, before, after):
    """What the installer or the interpreter prints is turned into one changed line."""
    assert pin(log, before) == after


@pytest.mark.parametrize(
    "log",
    [
        "ModuleNotFoundError: No module named 'utils'",
        "ModuleNotFoundError: No module named 'apex'",
        "ModuleNotFoundError: No module named 'imp'",
        "ModuleNotFoundError: No module named '_bz2'",
        "ERROR: Failed building wheel for nothing-of-ours",
        "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
        "KeyError: 'x'",
        "ImportError: fastzoo is not installed. Run: pip install git+https://github.com/acme-ml/fastzoo.git",
        "ImportError: fastzoo not found, install git+ssh://git@github.com/acme/fastzoo.git@v1",
        'ImportError: pip install "acme @ git+https://github.com/acme/acme"',
        "ImportError: please install https://example.com/wheels/rich-1.0-py3-none-any.whl",
        "ImportError: to use this, pip install -r requests.txt",
        "ImportError: run `pip install -e ./rich` in the repository",
        "ImportError: Please install git to continue",
        "ImportError: conda install -c conda-forge tqdm, for pip has no wheel",
        "ImportError: please install packages listed in rich.txt",
    ],
)
def test_what_a_pin_cannot_cure_gets_none(log):
    """Local-looking names, names of other projects on the index, the standard library, addresses, files, other failures."""
    assert pin(log, "torch\n") is None
    assert isinstance(
        propose("pin_requirement", explain("", log), Material(files={"requirements.txt": "torch\n"})), str
    )


@pytest.mark.parametrize("path", ["mylib.py", "src/mylib.py", "src/mylib/__init__.py", "mylib/deep/x.py"])
def test_a_module_of_the_source_is_never_installed(path):
    """A name that the source itself provides is a matter of paths, never of the index."""
    material = Material(files={path: "", "requirements.txt": ""})
    diagnosis = explain("", "ModuleNotFoundError: No module named 'mylib.deep'")

    assert isinstance(propose("pin_requirement", diagnosis, material), str)
    assert "source itself" in str(propose("pin_requirement", diagnosis, material))


def test_a_missing_file_is_made():
    """Without a requirements file there is one afterwards, under the usual name."""
    diagnosis = explain("", "ModuleNotFoundError: No module named 'yaml'")

    patch = propose("pin_requirement", diagnosis, Material())

    assert isinstance(patch, Patch)
    assert patch.files == {"requirements.txt": "PyYAML\n"}
    assert patch.key == "pin_requirement:pyyaml"


def test_a_pin_that_failed_is_not_proposed_again():
    """The next candidate has its turn; when there is none left, the reason says so."""
    diagnosis = explain("", "ImportError: cannot import name 'X' from 'peft'")
    material = Material(files={"requirements.txt": "peft==3.4.0\n"})
    keys = []
    while isinstance(patch := propose("pin_requirement", diagnosis, material), Patch):
        keys.append(patch.key)
        past = PastPatch(diagnosis.fingerprint, diagnosis.class_, patch.key, "failed")
        material = replace(material, history=(*material.history, past))

    assert keys == ["pin_requirement:peft>3.4.0", "pin_requirement:peft<3"]
    assert "before" in str(propose("pin_requirement", diagnosis, material))


def test_the_pin_that_worked_before_comes_first():
    """The failure memory turns the order of the candidates around."""
    diagnosis = explain("", "ImportError: cannot import name 'X' from 'peft'")
    past = PastPatch(diagnosis.fingerprint, diagnosis.class_, "pin_requirement:peft<3", "worked")

    patch = propose(
        "pin_requirement", diagnosis, Material(files={"requirements.txt": "peft==3.4.0\n"}, history=(past,))
    )

    assert isinstance(patch, Patch)
    assert patch.files["requirements.txt"] == "peft<3\n"


def test_a_module_that_is_required_already_is_not_added_twice():
    """When the line is there and the module is not, another line of the same kind would change nothing."""
    assert pin("ModuleNotFoundError: No module named 'yaml'", "pyyaml>=5\n") is None


def test_the_mapping_is_of_use():
    """More than a hundred names, each a requirement that parses; unknown names stand for themselves."""
    assert len([value for value in table().values() if value]) > 100
    for value in table().values():
        assert value is None or Requirement(value)
    assert requirement_for("PIL.Image") == "Pillow"
    assert requirement_for("made_up") == "made-up"
    assert requirement_for("json") is None
    assert is_known("yaml")
    assert not is_known("made_up")


def test_a_cascade_ends():
    """Three wrong or missing pins, each shown by the job that the last one made possible, are three patches."""
    logs = [
        "ERROR: Could not find a version that satisfies the requirement alpha==9.0 (from versions: 1.0, 1.1)",
        "ModuleNotFoundError: No module named 'annotated_types'",
        "Successfully installed gamma-2.0.0\nImportError: cannot import name 'old' from 'gamma' (/venv/site-packages/gamma.py)",
    ]
    text = "alpha==9.0\ngamma\n"
    diagnoses: list[Diagnosis] = []
    for log in logs:
        diagnoses.append(explain("", log))
        patch = propose("pin_requirement", diagnoses[-1], Material(files={"requirements.txt": text}))
        assert isinstance(patch, Patch), log
        text = patch.files["requirements.txt"]

    assert text == "alpha==1.1\ngamma<2\nannotated-types\n"
    assert len({diagnosis.fingerprint for diagnosis in diagnoses}) == 3
