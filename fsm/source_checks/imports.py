"""Modules that a source imports and that nothing brings: the most common way to pay for a failed job."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from packaging.utils import canonicalize_name

from wpfsm.fsm.failures.distributions import LEFT_THE_STANDARD_LIBRARY, requirement_for, table
from wpfsm.fsm.source_checks.execution import Import, Source
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.image_modules import KnownImage
from wpfsm.fsm.source_checks.requirement_lines import Line

_SOME_PYTHONS_HAVE = LEFT_THE_STANDARD_LIBRARY | {"distutils", "tomllib"}
"""In the standard library of some Python between 3.8 and today: a matter of the image, judged nowhere here."""

_ALSO: Mapping[str, Collection[str]] = {
    "cv2": (
        "opencv-python",
        "opencv-contrib-python",
        "opencv-python-headless",
        "opencv-contrib-python-headless",
    ),
    "PIL": ("pillow", "pillow-simd"),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly"),
    "torch": ("torch", "pytorch"),
    "lightning": ("lightning",),
    "pytorch_lightning": ("pytorch-lightning", "lightning"),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "skimage": ("scikit-image",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "pkg_resources": ("setuptools",),
    "mpl_toolkits": ("matplotlib",),
    "pylab": ("matplotlib",),
    "dotenv": ("python-dotenv",),
    "jose": ("python-jose",),
    "dateutil": ("python-dateutil",),
    "ruamel": ("ruamel-yaml",),
    "google": ("protobuf", "google-api-core", "google-cloud-storage", "google-auth"),
    "azure": ("azure-core", "azure-storage-blob", "azure-identity"),
}

_BRINGS: Mapping[str, Collection[str]] = {
    "transformers": (
        "numpy",
        "tokenizers",
        "huggingface_hub",
        "regex",
        "requests",
        "tqdm",
        "yaml",
        "packaging",
        "filelock",
        "safetensors",
        "fsspec",
        "typing_extensions",
    ),
    "datasets": (
        "numpy",
        "pandas",
        "pyarrow",
        "requests",
        "tqdm",
        "fsspec",
        "multiprocess",
        "dill",
        "xxhash",
        "aiohttp",
        "huggingface_hub",
        "yaml",
        "packaging",
        "filelock",
        "httpx",
        "dateutil",
        "pytz",
        "six",
    ),
    "torch": (
        "numpy",
        "sympy",
        "networkx",
        "jinja2",
        "fsspec",
        "filelock",
        "typing_extensions",
        "triton",
        "functorch",
        "mpmath",
        "setuptools",
        "pkg_resources",
    ),
    "torchvision": (
        "torch",
        "numpy",
        "PIL",
        "sympy",
        "networkx",
        "jinja2",
        "fsspec",
        "filelock",
        "typing_extensions",
    ),
    "torchaudio": ("torch", "numpy"),
    "pandas": ("numpy", "dateutil", "pytz", "tzdata", "six"),
    "scikit-learn": ("numpy", "scipy", "joblib", "threadpoolctl"),
    "scipy": ("numpy",),
    "xgboost": ("numpy", "scipy"),
    "lightgbm": ("numpy", "scipy"),
    "matplotlib": (
        "numpy",
        "PIL",
        "dateutil",
        "packaging",
        "pyparsing",
        "six",
        "cycler",
        "kiwisolver",
        "contourpy",
        "fontTools",
    ),
    "seaborn": ("numpy", "pandas", "matplotlib", "PIL", "dateutil", "packaging"),
    "accelerate": (
        "numpy",
        "torch",
        "yaml",
        "packaging",
        "psutil",
        "huggingface_hub",
        "safetensors",
        "tqdm",
        "requests",
    ),
    "numpy": (),
    "pillow": (),
    "tqdm": (),
    "joblib": (),
    "pyyaml": (),
    "regex": (),
    "safetensors": (),
    "tabulate": (),
    "sentencepiece": (),
    "einops": (),
    "packaging": (),
    "psutil": (),
    "filelock": (),
    "six": (),
    "click": (),
    "requests": ("urllib3", "certifi", "idna", "charset_normalizer"),
    "boto3": ("botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"),
    "nltk": ("click", "joblib", "regex", "tqdm"),
}
"""Modules that come with a distribution's dependencies, for when no resolver was asked."""


def missing_imports(
    source: Source, requirements: Sequence[Line], image: KnownImage, resolved: Collection[str] | None
) -> Iterator[SourceFinding]:
    """What is imported for sure and brought by nothing.

    Args:
        source: The source.
        requirements: The lines of its requirements files.
        image: What is known of the image.
        resolved: Every distribution that a resolver would install, by canonical name; None when none was asked.
    """
    named = {line.name for line in requirements}
    installed = named | set(resolved or ())
    absent = [
        one for one in _first_of_each(source.run.imports) if not _is_brought(one, source, image, installed)
    ]
    if not absent or _may_bring_anything(requirements, source, resolved):
        return
    for one in absent:
        top = one.module.partition(".")[0]
        wanted = requirement_for(one.module)
        if image.modules is None:
            yield SourceFinding(
                "imports",
                f"{top} is not among the requirements; whether the image brings it is not known",
                one.file,
                one.line,
                f"add {wanted} to the requirements if it does not" if wanted else "",
                known=False,
            )
        else:
            yield SourceFinding(
                "imports",
                f"imports {top}, which neither the requirements nor the image "
                f"({image.name}, as of {image.as_of}) bring",
                one.file,
                one.line,
                f"add {wanted} to the requirements"
                if wanted
                else "name its distribution in the requirements",
            )


def _first_of_each(imports: Sequence[Import]) -> list[Import]:
    """One import for each top-level module."""
    first: dict[str, Import] = {}
    for one in imports:
        first.setdefault(one.module.partition(".")[0], one)
    return list(first.values())


def _is_brought(one: Import, source: Source, image: KnownImage, installed: Collection[str]) -> bool:
    top = one.module.partition(".")[0]
    return (
        not top
        or top in sys.stdlib_module_names
        or top in _SOME_PYTHONS_HAVE
        or source.is_own(one.module)
        or (image.modules is not None and top in image.modules)
        or any(_brings(distribution, one.module) for distribution in installed)
    )


def _brings(distribution: str, module: str) -> bool:
    """Whether a distribution brings a module, as far as its name, the tables and its known dependencies tell."""
    top = module.partition(".")[0]
    if distribution in _ALSO.get(top, ()) or top in _BRINGS.get(distribution, ()):
        return True
    wanted = requirement_for(module)
    if (
        wanted
        and canonicalize_name(wanted.split("[")[0].split("<")[0].split(">")[0].split("=")[0]) == distribution
    ):
        return True
    squeezed, name = distribution.replace("-", ""), top.lower().replace("_", "")
    return len(name) > 2 and (name in squeezed or squeezed in name)


def _may_bring_anything(
    requirements: Sequence[Line], source: Source, resolved: Collection[str] | None
) -> bool:
    """Whether some requirement may bring modules of any name: a folder, an address, a name that nobody knows."""
    imported = [one.module for one in source.run.imports]
    for line in requirements:
        if not line.name:
            return True
        unused = not any(_brings(line.name, module) for module in imported)
        if unused and line.name not in _known():
            return True
        if resolved is None and line.name not in _BRINGS:
            return True
    return False


@cache
def _known() -> frozenset[str]:
    """Distributions of which it is known under which names they are imported."""
    text = files("wpfsm.fsm.source_checks").joinpath("known_distributions.txt").read_text(encoding="utf-8")
    popular = {canonicalize_name(line) for line in text.splitlines() if not line.startswith("#")}
    mapped = {canonicalize_name(name.split("<")[0]) for name in table().values() if name}
    return frozenset(popular | mapped)
