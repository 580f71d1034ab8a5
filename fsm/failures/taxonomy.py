"""The failure classes: one declarative table.

Each row says what a failure looks like, what it means, what to do and who can do it. A pattern describes the
nature of a message, never one message. Its strength is the confidence of the diagnosis when it decides:

- 0.9 and more: the message states the cause ("CUDA out of memory", "No module named");
- 0.7 to 0.9: it names it, and something else could have printed it too;
- below 0.7: it fits when nothing else does; a plain exception of the script is 0.6.

The texts come from the sources of PyTorch, pip, uv, transformers, XGBoost, NCCL, the SageMaker training toolkit
and the developer guide ("Troubleshooting", "train-warm-pools"). The service may change its wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from wpfsm.fsm.failures.model import Family, Who

At: TypeAlias = Literal["any", "reason", "log", "api", "call", "status", "fact", "exception"]


@dataclass(frozen=True)
class Pattern:
    """What a failure looks like in one place.

    Attributes:
        regex: searched without regard to case, line by line anchors; named groups become the details.
        strength: 0 to 1, see the module's docstring.
        at: ``any`` is FailureReason, API message and log; ``api`` is ``Code: message`` of an exception of the calls that
            make and end a job; ``call`` of those and of the script's own calls; ``status`` is the secondary status;
            ``fact`` what the controller saw itself; ``exception`` the exception that ended the job, as
            ``Type: message``.
        unless_local: does not hold when the group ``module`` names a module of the user's own source.
        prose: words that a script uses as well ("expert capacity"): they do not hold in an exception that the user's
            own code raised.
        fix: stands in place of the row's.
        stuck: why the automatic fix of the class cannot help here; the failure is handed off.
    """

    regex: str
    strength: float
    at: At = "any"
    unless_local: bool = False
    prose: bool = False
    fix: str = ""
    stuck: str = ""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern; compiled on first use, since most commands never diagnose."""
        return re.compile(self.regex, re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class FailureClass:
    """One row of the table.

    Attributes:
        fix: a sentence; ``{name}`` in it is filled from the details, ``{place}`` is the file and line.
        otherwise: the sentence for when the message did not name what ``fix`` is about.
        no_job: says that no job exists, so nothing that a running script met is of this class.
        by_file: one such failure is like another in the same file, whatever numbers it prints and whichever
            statement met it first: memory that is full is found full now here and now there.
    """

    name: str
    family: Family
    means: str
    fix: str
    who: Who
    patterns: tuple[Pattern, ...] = ()
    by_file: bool = False
    otherwise: str = ""
    no_job: bool = False


_P = Pattern
_WRAPPERS = (
    r"(?:\w+\.)*(?:CalledProcessError|ChildFailedError|ExecuteUserScriptError|AlgorithmError|SystemExit"
    r"|Process(?:Raised|Exited)Exception|RayTaskError|KeyboardInterrupt)\b"
)
_NOT_PIP = r"(?<!conda )(?<!apt )(?<!apt-get )(?<!brew )(?<!npm )(?<!yum )(?<!dnf )(?<!lfs )(?<!make )"
_PROSE = (
    r"(?:the|this|it|them|following|from|via|with|using|by|all|its?|our|your|some|any|extra|more|and|or|to|first|in|on|at"
    r"|for|a|an|is|was|are|git|pip|conda|brew|packages?|modules?|librar(?:y|ies)|dependenc(?:y|ies)|requirements?|drivers?)\b"
)
"""Words behind "install" that are no distribution."""
_NO_FILE = r"(?<!\.txt)(?<!\.whl)(?<!\.toml)(?<!\.git)(?<!\.in)(?<!\.cfg)(?<!\.yml)(?<!\.yaml)"
_REQUIREMENT = (
    r"[A-Za-z0-9][\w.-]*(?:\[[\w,.-]+\])?(?:\s?(?:[<>=!~]=?=?)\s?[\w.*+!]+(?:,\s?[<>=!~]=?=?\s?[\w.*+!]+)*)?"
)

TAXONOMY: tuple[FailureClass, ...] = (
    # -- dependency ---------------------------------------------------------------------------------------
    FailureClass(
        "missing_module",
        Family.DEPENDENCY,
        "The job imports a module that neither the image nor requirements.txt provides.",
        "Add the distribution that provides {module} to requirements.txt.",
        "wpfsm",
        (
            _P(r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?(?P<module>[\w.]+)", 0.92),
            _P(r"python[\d.]*: No module named (?P<module>[\w.]+)", 0.9),
            _P(r"^[^\w\n]*No module named ['\"](?P<module>[\w.]+)['\"]", 0.85),
            _P(
                r"requires? (?:the )?(?P<module>[\w.-]+)(?: library)?,? (?:but it was not found|which is not installed|to be installed)",
                0.88,
            ),
            _P(r"packages? that (?:were|was) not found in your environment: (?P<module>[\w.-]+)", 0.92),
            _P(
                r"(?:Error|requires?|missing|not installed|not found)\b(?![^\n]{0,200}Command ['\"\[])[^\n]{0,200}\bpip3? install (?P<install>[^\n]{1,200})",
                0.8,
            ),
            _P(r"Missing optional dependency ['\"](?P<module>[\w.-]+)", 0.9),
            _P(
                r"\b(?:package|module|library|dependency) ['\"`]?(?P<module>[\w.-]+)['\"`]? (?:seems to be|appears to be|is|was) (?:not|un)[ -]?(?:installed|available|found)",
                0.88,
                "exception",
            ),
            _P(
                rf"^(?:\w+\.)*\w*ImportError: [^\n]*?{_NOT_PIP}\binstall (?:-(?:U|q|qU|-upgrade|-user|-quiet|-pre|-no-cache-dir) )*"
                rf"(?:the )?(?!{_PROSE})['\"`]?(?P<module>[A-Za-z][\w-]*(?:\.[\w-]+)*)(?![\w-]|\.\w|[+/@\\\\]|:/| @){_NO_FILE}",
                0.7,
                "exception",
            ),
            _P(r"^(?:\w+\.)*\w*ImportError: [^\n]*\binstall\b", 0.7, "exception"),
            _P(
                r"PackageNotFoundError: (?:No package metadata was found for )?['\"]?(?P<distribution>[\w.-]+)",
                0.88,
            ),
            _P(r"The ['\"](?P<requirement>[\w.<>=!-]+)['\"] distribution was not found and is required", 0.9),
            _P(
                r"(?P<distribution>accelerate|deepspeed|horovod|poetry|uv|pip|smdistributed|transformers-cli): (?:command )?not found",
                0.85,
            ),
        ),
        otherwise="Add the distribution that provides it to requirements.txt.",
    ),
    FailureClass(
        "import_name",
        Family.DEPENDENCY,
        "A module is there and lacks the name that is asked of it: its version is not the one the code was written for.",
        "Pin {module} to a version that has {name}.",
        "wpfsm",
        (
            _P(
                r"cannot import name ['\"]?(?P<name>\w+)['\"]? from (?:partially initialized module )?['\"](?P<module>[\w.]+)",
                0.9,
                unless_local=True,
            ),
            _P(
                r"`np\.(?P<name>\w+)` was removed in the (?P<module>NumPy) (?P<since>\d+\.\d+) release",
                0.93,
                fix="Pin numpy<{since}: {name} was removed in it, and a package that is installed still uses it.",
            ),
            _P(r"ImportError: cannot import name ['\"]?(?P<name>\w+)['\"]?\s*$", 0.82),
            _P(
                r"module ['\"](?P<module>[\w.]+)['\"] has no attribute ['\"](?P<name>\w+)",
                0.86,
                unless_local=True,
            ),
        ),
        otherwise="Pin the package that lacks the name to a version that has it.",
    ),
    FailureClass(
        "incompatible_version",
        Family.DEPENDENCY,
        "Two installed packages, or a package and the driver, do not work together.",
        "Pin {module} to a version that the others accept.",
        "wpfsm",
        (
            _P(
                rf"(?<![\w.-])(?P<requirement>{_REQUIREMENT}) is required for a normal functioning[^\n]*but found (?P<installed>[\w.=-]+)",
                0.94,
            ),
            _P(r"compiled using (?P<module>NumPy) 1\.x cannot be run in", 0.75),
            _P(r"(?P<module>numpy)\.(?:\w+\.)*\w+ size changed, may indicate binary incompatibility", 0.93),
            _P(
                r"(?P<module>numpy)(?:\.core\.multiarray failed to import| is not available)|_ARRAY_API not found",
                0.86,
            ),
            _P(r"(?:Contextual)?VersionConflict\b", 0.9),
            _P(
                r"requires? (?:a |an )?(?P<requirement>[A-Za-z][\w.-]* ?[<>=!~]=?=? ?[\d][\w.]*(?:, ?[<>=!~]=?=? ?[\d][\w.]*)*)(?![^\n]*which is incompatible)[^\n]{0,60}(?:but|found|installed|you have|got)\b",
                0.8,
            ),
            _P(
                r"requires? (?:a |an )?(?P<module>[A-Za-z][\w.-]*) (?:version )?(?:at least|newer than|or newer)[^\n]{0,60}(?:but|found|installed|you have|got)\b",
                0.78,
            ),
            _P(
                r"needs? (?P<module>[A-Za-z][\w.-]*) (?:version )?v?[\d.]+ or (?:less|lower|older|newer|greater|higher|later)",
                0.88,
            ),
            _P(
                r"did not match any variant of untagged enum \w+",
                0.9,
                fix="Upgrade tokenizers and transformers: the tokenizer's file was written by a newer release.",
            ),
            _P(
                r"(?:Could not (?:find|load) (?:the )?bitsandbytes|CUDA is required but not available for bitsandbytes)[^\n]*",
                0.94,
                fix="Pin bitsandbytes to a release that ships the binary for the image's CUDA.",
            ),
            _P(
                r"torchvision::nms does not exist",
                0.92,
                fix="Install the torchvision release that belongs to the installed torch.",
            ),
            _P(r"Descriptors cannot (?:not )?be created directly", 0.9),
            _P(r"(?P<module>Keras) 3,? but this is not yet supported", 0.9),
            _P(r"(?P<module>Transformers) does not recognize this architecture", 0.88),
            _P(
                r"no kernel image is available for execution|CUDA driver version is insufficient|NVIDIA driver on your system is too old",
                0.92,
            ),
            _P(r"(?:compiled|built) with (?:a )?different CUDA|CUDA version[^\n]{0,60}mismatch", 0.9),
            _P(r"\bbuilt (?:for|with|against)\b[^\n]{0,40}\n?[^\n]{0,80}\(you have\b", 0.85),
            _P(
                r"CUDA Setup failed despite|bitsandbytes[^\n]{0,60}(?:without GPU support|libbitsandbytes)",
                0.85,
            ),
            _P(
                r"(?:is )?incompatible with (?:the )?(?:installed|current|this) [\w.]* ?version|incompatible (?:[\w/]+ ){0,4}versions?\b",
                0.75,
            ),
            _P(
                r"\bversion\b[^\n]{0,60}\b(?:is|are)(?: \w+ than and)? incompatible with|\bversion\b[^\n]{0,40}does not match the version",
                0.8,
            ),
            _P(r"^(?:\w+\.)*\w*Version(?:Conflict|Error|Mismatch)\w*\b", 0.8, "exception"),
            _P(
                r"^(?:\w+\.)*\w*ImportError: (?!cannot import name|No module named|attempted relative)",
                0.62,
                "exception",
            ),
        ),
        otherwise="Move one of the packages that the message names to a version that the others accept.",
    ),
    FailureClass(
        "shared_library",
        Family.DEPENDENCY,
        "A native library that a package needs is missing from the image, or is of another build.",
        "Use a wheel that carries its libraries, or an image that has {library}.",
        "you",
        (
            _P(r"(?<![\w.+-])(?P<library>[\w.+-]+\.so[\w.]*): cannot open shared object file", 0.92),
            _P(
                r"(?<![A-Za-z0-9_])(?P<package>[A-Za-z][A-Za-z_]*?)(?:_\d+)?(?:_cuda|_C|_ext|_kernels)?(?:\.[\w.-]*)?\.so[\w.]*: undefined symbol: _ZN\w+",
                0.93,
                fix="Install the wheel of {package} that was built for the installed torch and CUDA, or build it against them.",
            ),
            _P(r"undefined symbol: \w+|(?P<library>GLIBC(?:XX)?_[\d.]+|CXXABI_[\d.]+)['`]? not found", 0.92),
            _P(r"in static TLS block", 0.95),
            _P(
                r"(?:Could not load|Unable to load|error loading) (?:dynamic )?library|(?<!\w)dlopen[^\n]{0,80}(?:error|fail)",
                0.8,
            ),
        ),
        otherwise="Use a wheel that carries its libraries, or another image.",
    ),
    FailureClass(
        "resolver_conflict",
        Family.DEPENDENCY,
        "No set of versions satisfies everything that is required.",
        "Move the pin of {requirement} to a version that the others accept.",
        "wpfsm",
        (
            _P(r"ResolutionImpossible|conflicting dependencies|your requirements are unsatisfiable", 0.95),
            _P(r"No solution found when resolving|version solving failed|Unsatisfiable(?:Error)?\b", 0.93),
            _P(r"Double requirement given", 0.92),
            _P(
                r"(?<![\w.-])(?P<dependent>[\w.-]+) (?P<dependent_version>\d\S*) requires (?P<requirement>[\w.-]+\S*), but you(?:'ll)? have (?P<installed>[\w.-]+ \S+) which is incompatible",
                0.58,
            ),
        ),
        otherwise="Loosen one of the pins that the installer names.",
    ),
    FailureClass(
        "no_matching_distribution",
        Family.DEPENDENCY,
        "The index has no distribution of that name or version for this Python.",
        "Change {requirement} to a version that the index has.",
        "wpfsm",
        (
            _P(
                r"Could not find a version that satisfies the requirement (?P<requirement>[^\n(]+?)(?: \(from (?:-[rc] [^\n]*?|(?P<dependent>(?!versions)[^\n]*?))\)+)? \(from versions: ?(?P<versions>[^)\n]*)\)",
                0.95,
            ),
            _P(r"No matching distribution found for (?P<requirement>[^\n(]+)", 0.94),
            _P(r"there (?:is|are) no versions? of (?P<requirement>\S+)", 0.95),
            # uv closes every such message with "unsatisfiable", which alone is a conflict.
            _P(
                r"Because there is no version of (?P<requirement>\S+) and you require (?P=requirement)(?=[\s,])",
                0.96,
            ),
            _P(
                r"Because (?P<requirement>\S+) was not found in the (?:package registry|provided package locations)",
                0.96,
            ),
            _P(r"only the following versions of (?P<distribution>\S+) (?:is|are) available", 0.94),
            _P(
                r"requires a different Python|PackagesNotFoundError|(?:doesn't|does not) (?:exist|have a version) on (?:PyPI|the index)",
                0.92,
            ),
        ),
        otherwise="Ask for a version that the index has for the image's Python.",
    ),
    FailureClass(
        "build_failure",
        Family.DEPENDENCY,
        "A package had to be built from source, and the build failed.",
        "Pin {distribution} to a version with a wheel for this Python.",
        "wpfsm",
        (
            _P(
                r"^[ \t]*Collecting (?P<distribution>[A-Za-z][\w.-]*)[^\n]*\n(?:(?![ \t]*Collecting )[^\n]*\n){0,40}?[^\n]*ModuleNotFoundError: No module named ['\"](?P<needs>\w+)['\"][^\n]*\n[^\n]*\[end of output\]",
                0.965,
                fix="Use a prebuilt wheel of {distribution}, or install it with --no-build-isolation behind {needs}: its build imports {needs}.",
                stuck="the build imports a package that an isolated build does not see; another version would, too",
            ),
            _P(
                r"(?:Could not build wheels for|Failed building wheel for|Failed to build installable wheels for some pyproject\.toml based projects \(?|Failed to build) ['\"`(]*(?P<distribution>[A-Za-z][\w.-]*)",
                0.95,
            ),
            _P(
                r"^[ \t]*Collecting (?P<distribution>[A-Za-z][\w.-]*)[^\n]*\n(?:(?![ \t]*Collecting )[^\n]*\n){0,25}?[^\n]*subprocess-exited-with-error",
                0.945,
            ),
            _P(
                r"subprocess-exited-with-error|metadata-generation-failed|legacy-install-failure|build backend returned an error",
                0.945,
            ),
            _P(
                r"setup\.py (?:egg_info|bdist_wheel|install)[^\n]{0,80}(?:failed|error)|error in (?P<distribution>[\w.-]+) setup command",
                0.93,
            ),
            _P(
                r"error: command ['\"]?[^\n]{0,80}(?:gcc|g\+\+|cc|nvcc|cmake|ninja)['\"]? (?:failed|not found)|can't find Rust compiler",
                0.93,
            ),
            _P(
                r"CUDA_HOME environment variable is not set|Error building extension ['\"](?P<distribution>\w+)|Ninja is required to",
                0.9,
            ),
        ),
        otherwise="Ask for a version with a wheel for this Python.",
    ),
    FailureClass(
        "install_failure",
        Family.DEPENDENCY,
        "Installing the requirements failed before the script began.",
        "Read the installer's lines above it; check requirements.txt.",
        "you",
        (
            _P(r"\bInstall(?:Module|Requirements)Error\b", 0.82),
            _P(
                r"Did not find branch or tag|pathspec [^\n]{1,200} did not match|\bgit (?:checkout|clone|fetch|rev-parse)\b[^\n]* did not run successfully|Could not detect requirement name for|Cannot find command ['\"](?:git|hg|svn)",
                0.96,
                fix="Check the address and the revision of the requirement that comes from version control, and that the image has git.",
            ),
            _P(
                r"\b40[13] Error, Credentials not correct[^\n]*\n(?:[^\n]*\n){0,6}?[^\n]*ERROR: (?:Could not find|No matching)|HTTP error 40[13] while getting",
                0.97,
                fix="Renew the credentials of the package index or the address that the installer names: no other version helps.",
            ),
            _P(
                r"uninstall-distutils-installed-package|Cannot uninstall ['\"]?(?P<distribution>[A-Za-z][\w.-]*)",
                0.94,
                fix="Ask for the version of {distribution} that the image has, or leave it out: the installer cannot remove the image's.",
            ),
            _P(
                r"(?P<wheel>[\w.+-]+\.whl) is not a supported wheel on this platform",
                0.94,
                fix="Take the wheel for the image's Python and platform: {wheel} is for another.",
            ),
            _P(
                r"has inconsistent (?:version|name): |is not installable\. Neither|To modify pip, please run|does not appear to be a Python project|legacy dependency resolver does not consider",
                0.92,
            ),
            _P(
                r"^[ \t]*(?:Collecting|Downloading|Using cached|Obtaining|Processing|Looking in indexes|Preparing metadata|Requirement already satisfied|Installing collected packages)\b[^\n]*\n(?:[^\n]*\n){0,3}?[^\w\n]*(?i:ERROR): (?!pip's dependency resolver)",
                0.78,
            ),
            _P(r"^[^\w\n]*ERROR: (?:Invalid requirement|Could not open requirements file)", 0.92),
            _P(r"^[^\w\n]*ERROR: Could not install packages", 0.85),
            _P(r"DO NOT MATCH THE HASHES|require-hashes mode|externally-managed-environment", 0.93),
            _P(r"\bpip3?\b[^\n]{0,40}\binstall\b[^\n]*\n(?:[^\n]*\n){0,6}?[^\w\n]*ERROR\b", 0.78),
            _P(r"CalledProcessError: Command [^\n]{0,300}\bpip3?\b['\", ]{1,4}install\b", 0.8),
            _P(r"[\\/]pip[\\/]_internal[\\/]", 0.7),
        ),
    ),
    # -- oom ----------------------------------------------------------------------------------------------
    FailureClass(
        "cuda_oom",
        Family.OOM,
        "The accelerator's memory is full.",
        "Halve the batch size and accumulate gradients, or checkpoint activations.",
        "wpfsm",
        (
            _P(
                r"(?:CUDA|HIP|XPU|GPU|MPS backend|cudaMalloc)\b[^\n]{0,40}out of memory|cuda(?:\.|Error)?OutOfMemory|torch\.OutOfMemoryError",
                0.95,
            ),
            _P(
                r"out[_ ]of[_ ]memory[^\n]{0,60}\b(?:CUDA|GPU)|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation",
                0.95,
            ),
            _P(
                r"(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE)_STATUS_ALLOC_FAILED|Cuda failure[^\n]{0,20}out of memory",
                0.92,
            ),
            _P(
                r"OOM when allocating tensor|RESOURCE_?EXHAUSTED: [^\n]{0,60}(?:memory|allocat)|Failed to allocate[^\n]{0,80}on (?:the )?(?:device|NeuronCore)",
                0.94,
            ),
            _P(
                r"No available memory for the cache blocks|less than desired GPU memory utilization|larger than the (?:maximum number of tokens|available KV cache)",
                0.955,
                fix="Raise gpu_memory_utilization, shorten max_model_len, or use an accelerator with more memory: the model and its cache fill it.",
                stuck="the memory is taken by the model and vLLM's cache, not by a batch",
            ),
            _P(r"NRT_RESOURCE", 0.9),
            _P(
                r"ResourceExhaustedError\b[^\n]*(?:memory|allocat)|Dst tensor is not initialized|NCudaLib::TOutOfMemoryError",
                0.955,
            ),
        ),
        by_file=True,
    ),
    FailureClass(
        "host_oom",
        Family.OOM,
        "The instance's own memory is full, or the kernel killed the process.",
        "Use a smaller batch, fewer data loader workers or streaming; a larger instance is another pool.",
        "wpfsm",
        (
            _P(
                r"(?<!\w)_?(?:\w*Array)?MemoryError\b|Unable to allocate [\d.]+ ?[KMGTP]?i?B|Cannot allocate memory|\bENOMEM\b",
                0.93,
            ),
            _P(
                r"Unable to allocate (?P<size>[\d.]+ ?[KMGTP]?i?B) for an array with shape",
                0.95,
                fix="Read in chunks, or use float32: one array asks for {size}.",
                stuck="one array asks for the memory, whatever the batch",
            ),
            _P(
                r"cannot allocate vector of size|vector memory exhausted",
                0.94,
                fix="Read fewer rows or columns at a time: one vector does not fit.",
                stuck="one vector asks for the memory, whatever the batch",
            ),
            _P(
                r"\[F137\]|neuronx?-cc was forcibly killed|insufficient system memory",
                0.945,
                fix="Compile fewer graphs at once (neuron_parallel_compile --num_parallel), or use an instance with more memory: the compiler was killed.",
            ),
            _P(
                r"(?:unable to (?:write to file|open shared memory|allocate shared memory)|(?P<shared_memory>/dev/shm\S*|shared memory (?:segment|object)))[^\n]{0,160}(?:No space left|temporarily unavailable|Bus error|Cannot allocate)|unable to write to file </torch_\S+: No space left",
                0.98,
                fix="Use fewer data loader workers, or none: the shared memory (/dev/shm) is full.",
            ),
            _P(
                r"std::bad_alloc|DefaultCPUAllocator|can't allocate memory|java\.lang\.OutOfMemoryError|memory allocation of \d+ bytes failed",
                0.91,
            ),
            _P(r"\berror: out of memory", 0.94),
            _P(
                r"oom[-_ ]?kill|out of memory: kill|OutOfMemoryKiller|(?:exceed|over)\w*[^\n]{0,30}memory limit",
                0.94,
            ),
            _P(
                r"instance (?:type )?with more[^\n]{0,20}memory|ClientError:[^\n]{0,80}out of memory|ran out of (?:host )?memory",
                0.94,
            ),
            _P(
                r"killed by signal: (?:Killed|Bus error)|insufficient shared memory|Signals\.SIGKILL|SIGKILL\(-9\)",
                0.9,
            ),
            _P(
                r"\bkill\w*\b[^\n]{0,60}(?:memory pressure|(?:low|short) on memory)|(?:memory pressure|(?:low|short) on memory)[^\n]{0,60}\bkill",
                0.92,
            ),
            _P(
                r"exit(?:ed)?(?: with)?[ -]?(?:code|status)?\W{0,4}(?:-9|137)\b|exitcode\W+-9\b|Signal 9 \(SIGKILL\)",
                0.68,
            ),
            _P(r"^(?:[^\n]*line \d+:\s+\d+ )?Killed\b", 0.72),
            _P(
                r"(?:pthread_create|fork|clone|create (?:a )?(?:new )?(?:thread|worker))[^\n]{0,60}(?:Resource temporarily unavailable|can't start new thread)",
                0.85,
            ),
            _P(
                r"\bout of memory\b(?!\s+(?:\w+\s+)?(?:banks?|cells?|slots?|address\w*|modules?|tokens?|networks?|length|range|bounds?|index)\b)",
                0.74,
            ),
        ),
        by_file=True,
    ),
    # -- quota, capacity, infrastructure, throttling --------------------------------------------------------
    FailureClass(
        "own_pool_holds_quota",
        Family.QUOTA,
        "The account's limit is used up, and an idle warm pool of this loop is what uses it.",
        "Release the idle pool and submit again.",
        "wpfsm",
        (_P(r"^own_pool_holds_quota$", 0.98, "fact"),),
    ),
    FailureClass(
        "quota",
        Family.QUOTA,
        "The account may not run (so many of) this instance type here. No job exists.",
        "Ask for a higher service quota, or release what holds it (wpfsm pools).",
        "you",
        (
            _P(
                r"^(?:ResourceLimitExceeded|LimitExceeded\w*|ServiceQuotaExceeded\w*|\w*QuotaExceeded\w*)\b",
                0.96,
                "api",
            ),
            _P(
                r"account-level service limit|ResourceLimitExceeded|service quota[^\n]{0,80}(?:exceed|insufficient|is 0)",
                0.95,
            ),
            _P(
                r"limit ['\"](?P<quota>[^'\"]+)['\"] is (?P<limit>\d+) Instances(?:, with current utilization of (?P<used>\d+) Instances and a request delta of (?P<delta>\d+))?",
                0.95,
            ),
        ),
        no_job=True,
    ),
    FailureClass(
        "capacity",
        Family.CAPACITY,
        "The region has no free instance of this type at the moment.",
        "Try again later; another instance type or zone is another pool.",
        "aws",
        (
            _P(
                r"\bCapacityError\b|Insufficient ?(?:Instance|Host|EC2)? ?Capacity|insufficient capacity",
                0.97,
                prose=True,
            ),
            _P(
                r"(?:Unable|Failed) to (?:provision|launch|acquire)[^\n]{0,60}(?:capacity|instances?)",
                0.95,
                prose=True,
            ),
            _P(
                r"\b(?:not enough|no|lack of) (?:\w+ )?capacity\b|capacity is (?:not|un)\s?available",
                0.9,
                prose=True,
            ),
        ),
    ),
    FailureClass(
        "infra",
        Family.INFRA,
        "The service or the machine failed, not the job. Such a failure leaves no pool to rely on.",
        "Submit the same configuration again.",
        "aws",
        (
            _P(
                r"\bInternal ?Server ?Error\b|We encountered an internal error|Platform Error",
                0.97,
                "reason",
                prose=True,
            ),
            _P(
                r"^(?:InternalFailure|InternalServer\w*|InternalService\w*|ServiceUnavailable\w*|ServiceException|50[0234])\b",
                0.95,
                "call",
            ),
            _P(r"We encountered an internal error|Platform Error:", 0.9),
            _P(
                r"(?P<hardware>uncorrectable (?:ECC|NVLink)|\bECC error|NVRM: Xid|fallen off the bus|Unable to determine the device handle|GPU is lost|CUDA_ERROR_ECC_UNCORRECTABLE|NVLink[^\n]{0,40}error)",
                0.95,
                fix="Release the pool, then submit again on another host: this instance's hardware is faulty ({hardware}).",
            ),
            _P(
                r"(?:hardware|instance|node|host|device) (?:failure|fault|health check)|(?:un|not )healthy (?:node|instance|host)|Repairing training cluster",
                0.9,
                prose=True,
            ),
            _P(
                r"Failed to initialize NVML|Driver/library version mismatch|CUDNN_STATUS_INTERNAL_ERROR|unspecified launch failure|CUDA(?: error:)? unknown error",
                0.8,
            ),
            _P(
                r"(?:host|node|instance|algo-\d+)\b[^\n]{0,60}(?:unreachable|became unavailable|was terminated|lost connection)",
                0.85,
                prose=True,
            ),
            _P(
                r"socket\w*Connect\b[^\n]{0,120}(?:fail|refused|timed out|abort|unreachable)|no socket interface found",
                0.885,
                fix="Try again; if it comes back, set NCCL_SOCKET_IFNAME to the interface that the instances share (eth0): a connection between ranks failed.",
            ),
            _P(r"unhandled system error|ncclSystemError", 0.88),
            _P(r"nccl(?:Remote|Internal)Error|remote process exited or there was a network error", 0.72),
            _P(r"libfabric[^\n]{0,80}(?:error|fail)|(?:NET/OFI|NET/IB)[^\n]{0,120}(?:error|fail)", 0.72),
        ),
    ),
    FailureClass(
        "throttling",
        Family.THROTTLING,
        "Too many calls in a short time.",
        "Wait and try again.",
        "wpfsm",
        (
            _P(
                r"^(?:Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|RequestThrottled\w*|SlowDown|429|ProvisionedThroughput\w*)\b",
                0.97,
                "call",
            ),
            _P(r"\bThrottlingException\b|reduce your request rate|TooManyRequestsException", 0.95),
            _P(
                r"\b429\b[^\n]{0,40}(?:Too Many Requests|rate limit)|(?:Too Many Requests|rate limit)[^\n]{0,40}\b429\b",
                0.9,
            ),
            _P(r"Rate exceeded|too many requests|rate limit(?:ed| exceeded| reached)", 0.9, prose=True),
        ),
    ),
    # -- timeout ------------------------------------------------------------------------------------------
    FailureClass(
        "time_limit",
        Family.TIMEOUT,
        "The job reached MaxRuntimeInSeconds (or MaxWaitTime, MaxPendingTime) and was stopped.",
        "Shorten the run or raise job.max_runtime.",
        "you",
        (
            _P(r"^Max(?:Runtime|WaitTime|PendingTime)Exceeded", 0.93, "status"),
            _P(
                r"Max(?:Runtime|WaitTime|PendingTime)(?:InSeconds|Exceeded)?\b[^\n]{0,40}|exceeded (?:the )?max(?:imum)? ?(?:run|wait|pending)",
                0.94,
                "reason",
            ),
            _P(r"\bMax(?:Runtime|WaitTime|PendingTime)Exceeded\b", 0.9, "log"),
            _P(
                r"(?:maximum|max) (?:run|wait|execution|training)[ -]?time[^\n]{0,30}(?:exceed|reached|expired)|(?:job|task) timed out",
                0.85,
                prose=True,
            ),
        ),
    ),
    FailureClass(
        "collective_timeout",
        Family.TIMEOUT,
        "One rank waited for the others longer than it may: a rank hangs, died, or has more work.",
        "Find the rank that did not arrive; raise the timeout only when the work is uneven.",
        "you",
        (
            _P(
                r"collective operation timeout|WorkNCCL\([^\n]*timing out|Watchdog caught|watchdog\b[^\n]{0,40}\b(?:got stuck|hangs?)\b",
                0.94,
            ),
            _P(r"NCCL[^\n]{0,80}(?:timed? ?out)|(?:timed? ?out)[^\n]{0,80}NCCL", 0.88),
            _P(
                r"Dist(?:Store|Network)Error[^\n]{0,80}time|Rendezvous(?:Timeout|Closed|Connection)Error|(?:socket|client) has timed out",
                0.92,
            ),
            _P(
                r"Timed out (?:after [\d.]+ ?\w* |initializing |waiting )[^\n]{0,80}(?:process group|clients?|store|rank|recv|send|workers?|barrier)|Socket Timeout|StoreTimeout",
                0.91,
            ),
            _P(
                r"(?:Gloo|Horovod|MPI|barrier|allreduce|all_reduce)[^\n]{0,80}(?:timed? ?out|stalled)|(?:stalled|missing) ranks|failed to pass \w*barrier",
                0.88,
            ),
        ),
        by_file=True,
    ),
    FailureClass(
        "operation_timeout",
        Family.TIMEOUT,
        "Something in the job waited longer than it may.",
        "See what it waited for; raise that timeout or make the step shorter.",
        "you",
        (
            _P(
                r"^(?:[\w.]*\.)?(?:TimeoutError|TimeoutExpired|FunctionTimedOut|timeout)\b", 0.75, "exception"
            ),
            _P(r"DEADLINE_EXCEEDED|timed out after [\d.]+ ?(?:s|sec|min|hours?)", 0.72),
        ),
    ),
    FailureClass(
        "silence",
        Family.TIMEOUT,
        "The job printed nothing for longer than the watchdog allows, and was stopped; its pool stays.",
        "Look at the last line that it printed; print progress, or shorten the step.",
        "you",
        (_P(r"^silent for (?P<silent_seconds>\d+) seconds$", 0.58, "fact"),),
    ),
    # -- permissions --------------------------------------------------------------------------------------
    FailureClass(
        "image",
        Family.PERMISSIONS,
        "The training image cannot be pulled: it does not exist, or the role may not read its repository.",
        "Check job.image and the repository's policy.",
        "you",
        (
            _P(
                r"Cannot ?Pull|(?:pull|access) (?:access )?denied for (?:repository|registry|image)|ImagePull\w*",
                0.96,
            ),
            _P(
                r"manifest (?:unknown|for \S+ not found)|no basic auth credentials|repository (?:name )?[^\n]{0,120}does not exist",
                0.93,
            ),
            _P(
                r"\b(?:image|repository)\b[^\n]{0,160}(?:does not exist|not found|could not be (?:found|pulled)|not (?:be )?accessible)",
                0.82,
                "reason",
            ),
        ),
    ),
    FailureClass(
        "permissions",
        Family.PERMISSIONS,
        "The role or the credentials do not allow it.",
        "Give the role {action}, or renew the credentials.",
        "you",
        (
            _P(
                r"^(?:Access ?Denied\w*|Unauthorized\w*|NotAuthorized\w*|UnrecognizedClient\w*|InvalidClientTokenId|InvalidAccessKeyId|(?:Expired|Invalid)Token\w*|RequestExpired|SignatureDoesNotMatch|AuthFailure|Forbidden|40[13]|OptInRequired|KMS\w*|MissingAuthenticationToken\w*)\b",
                0.95,
                "call",
            ),
            _P(
                r"(?:is )?not authorized to perform:? ?(?P<action>[\w-]+:\w+)?|explicit deny|identity-based policy",
                0.95,
            ),
            _P(
                r"(?:assume|assuming) (?:the )?role|pass ?role|role[^\n]{0,60}(?:cannot|could not|invalid)[^\n]{0,20}(?:be )?assumed",
                0.94,
                prose=True,
            ),
            _P(
                r"security token[^\n]{0,40}(?:invalid|expired)|Unable to locate credentials|NoCredentials\w*|credentials (?:were|are) (?:not|in)",
                0.93,
            ),
            _P(r"\bAccess ?Denied\b|not subscribed to", 0.91),
            _P(
                r"permission to access|(?:does|do) not have (?:\w+ )?(?:permissions?|access)|insufficient permissions?",
                0.91,
                prose=True,
            ),
            _P(
                r"\b40[13] (?:Client Error|Forbidden|Unauthorized)\b[^\n]{0,200}(?:huggingface\.co|hf\.co)|GatedRepo|gated repo|private or gated|Invalid (?:username or password|user token)|Invalid credentials in Authorization header",
                0.935,
                fix="Accept the licence on the model's page, and give the job a token of that hub (HF_TOKEN in job.environment).",
            ),
            _P(
                r"\b(?:401|403)\b[^\n]{0,40}(?:Forbidden|Unauthorized|Client Error)|Forbidden[^\n]{0,20}\b403\b",
                0.92,
                fix="The server at the other end refused: give the job its token, accept its terms, or use another address.",
            ),
            _P(
                r"(?:invalid|missing|no|incorrect)[^\n]{0,20}(?:api[_ ]key|user token|access token)|api_key not configured",
                0.88,
                fix="Give the job the key of the service that asks for it, in job.environment.",
            ),
            _P(r"\bKMS\b[^\n]{0,100}(?:denied|not (?:exist|allowed|authorized|accessible)|disabled)", 0.92),
            _P(r"^(?:\w+\.)*PermissionError\b(?!: \[Errno \d)", 0.72, "exception"),
            _P(r"Please ensure[^\n]{0,120}(?:role|permissions)", 0.66, "reason"),
        ),
        otherwise="Read whose permission the message misses: the role of the job, or the credentials of the caller.",
    ),
    # -- data ---------------------------------------------------------------------------------------------
    FailureClass(
        "disk_full",
        Family.DATA,
        "The volume is full.",
        "Write less, clean caches, or raise pool.volume_gb, which is another pool.",
        "you",
        (
            _P(r"No space left on device|Insufficient disk space|\bENOSPC\b|Disk quota exceeded", 0.975),
            _P(
                r"(?:not enough|out of|insufficient|low) (?:free |local )?(?:disk|storage)(?: space)?|disk (?:is )?full",
                0.92,
            ),
        ),
    ),
    FailureClass(
        "channel",
        Family.DATA,
        "An input is not there: a channel, a bucket, a prefix or a file.",
        "Check job.inputs: the URI, the region and the channel's name.",
        "you",
        (
            _P(
                r"No S3 objects? (?:were )?found|no (?:objects|files?|data)[^\n]{0,60}(?:under|in|at|found)[^\n]{0,20}(?:s3|channel|prefix|directory)",
                0.965,
            ),
            _P(
                r"KeyError: ['\"]SM_CHANNEL_(?P<channel>\w+)|(?P<missing_path>/opt/ml/input/data/(?!sm_drivers|code)[^\s'\":]*)['\"]?[^\n]{0,40}(?:does not exist|not found|no such)",
                0.95,
            ),
            _P(
                r"No such file or directory:? ?[b]?['\"]?(?P<missing_path>/opt/ml/input/(?!data/(?:sm_drivers|code))[^'\"\s]*)",
                0.95,
            ),
            _P(
                r"\bNoSuch(?:Key|Bucket)\b|(?:HeadObject|GetObject)[^\n]{0,60}Not Found|bucket[^\n]{0,40}does not exist|specified key does not exist",
                0.94,
            ),
            _P(r"^404\b", 0.9, "call"),
            _P(
                r"['\"]?(?P<channel>\w+)['\"]? channel\b[^\n]{0,40}(?:is )?(?:not|missing|required|empty|invalid|unspecified)|(?:missing|required|no|invalid|empty)[^\n]{0,30}\bchannel\b",
                0.88,
                prose=True,
            ),
            _P(
                r"input data config\w*[^\n]{0,80}(?:invalid|missing|required|fail|validat)|(?:failed|unable)[^\n]{0,40}input data config",
                0.88,
            ),
            _P(
                r"(?:Couldn't|could not|cannot|unable to) find any (?:data|files?|records?|images?|objects?)|\bfound (?:no|0|zero) (?:valid |supported |usable |matching )?(?:files?|images?|records?|samples)\b",
                0.9,
            ),
            _P(
                r"Data download failed|Failed to download data|S3 key: ?\S+ has an|both a folder as well as a file",
                0.85,
            ),
        ),
    ),
    FailureClass(
        "data",
        Family.DATA,
        "The data cannot be read, or is not what the algorithm expects.",
        "Check the format and the content of the data that is read at {place}.",
        "you",
        (
            _P(
                r"(?:libsvm|parquet|recordio|protobuf|csv|jsonl?(?:ines)?|content.?type|manifest|tfrecord)\b[^\n]{0,120}(?:format|invalid|magic|malformed|not supported|unsupported|expected|corrupt|failed|delimiter|wrong)",
                0.8,
            ),
            _P(
                r"(?:unable to|cannot|could not|can't|failed to|error) (?:parse|pars(?:e|ing)|read(?:ing)?|decode|decoding|load(?:ing)?|tokeniz(?:e|ing))[^\n]{0,60}(?:csv|file|data|record|row|line|header|image|dataset|json|parquet)",
                0.78,
            ),
            _P(
                r"magic (?:number|bytes)|Corrupt(?:Header|Record|ed)?\w*|DataLossError|invalid load key|BadZipFile|not a gzip file|PytorchStreamReader failed",
                0.9,
            ),
            _P(
                r"EmptyDataError|ParserError|No columns to parse|Error tokenizing data|Arrow(?:Invalid|TypeError)|UnidentifiedImageError|image file is truncated",
                0.93,
            ),
            _P(
                r"DatasetGeneration\w*Error|generating the dataset|DataFilesNotFoundError|EmptyDatasetError|DatasetNotFoundError|NonMatchingSplitsSizes",
                0.88,
            ),
            _P(
                r"Safetensors?Error|Error while deserializing header|(?:InvalidHeader|HeaderTooLarge|MetadataIncomplete)\w*",
                0.92,
            ),
            _P(r"UnicodeDecodeError|JSONDecodeError|could not convert string to float", 0.82),
            _P(
                r"\b(?:input|data|labels?|targets?|features?|columns?|array)\b(?: [\w.]+)? contains? (?:`?NaN|`?inf|missing|null)|contains (?:missing|NaN|null) values",
                0.92,
            ),
            _P(
                r"label(?:s|\(s\))? (?:must|should|need)[^\n]{0,40}|Label[^\n]{0,30}(?:not in|out of) |(?:unseen|unknown|previously unseen) labels?",
                0.86,
            ),
            _P(
                r"feature[_ ]?names?[^\n]{0,40}mismatch|(?:number of (?:features|columns)|feature dim\w*)[^\n]{0,60}(?:mismatch|expect|differ|not)",
                0.85,
            ),
            _P(
                r"(?:file|content|data|record)[ _-]?(?:type|format)s?\b[^\n]{0,60}(?:not supported|unsupported|invalid|unknown)",
                0.84,
            ),
            _P(
                r"not enough (?:labels?|data\b|samples?|records?|images?|rows)|(?:array|data|dataset|set|batch) with 0 (?:samples?|rows|records)",
                0.86,
            ),
            _P(
                r"num_samples=0|(?:dataset|file|data|input|directory) (?:is|was|appears to be) empty|empty (?:dataset|file)\b",
                0.86,
            ),
            _P(
                r"not a valid model identifier|not a local folder|does not appear to have a file named|Can't load (?:tokenizer|the (?:model|configuration))|Repo id must",
                0.84,
            ),
            _P(r"\b(?:Repository|(?:Remote)?Entry|Revision)NotFoundError", 0.84),
            _P(r"\b404 (?:Client Error|Not Found)", 0.84, "exception"),
            _P(
                r"ClientError:[^\n]{0,300}\b(?:files?|csv|records?|rows?|columns?|labels?|datasets?|headers?|delimiter|features?|content|images?|annotations?)\b",
                0.66,
                "reason",
            ),
        ),
        otherwise="Check the format and the content of the input.",
    ),
    # -- script -------------------------------------------------------------------------------------------
    FailureClass(
        "entrypoint",
        Family.SCRIPT,
        "The container could not start the program.",
        "Check job.entry, its mode, its line ends and the image's entry point.",
        "you",
        (
            _P(
                r"executable file not found|exec (?:user process|format error|\S+ failed)|exec format error|CannotStartContainer\w*",
                0.93,
            ),
            _P(
                r"can't open file ['\"]?(?P<file>[^'\":\n]+)|bad interpreter|\\r['\"]?: (?:command not found|No such file)|(?-i:\^M)['\"]?: ",
                0.92,
            ),
            _P(
                r"unexpected EOF while looking for matching|not a valid identifier|syntax error near unexpected token",
                0.92,
            ),
            _P(r"(?:bash|sh|tini|exec|env)\b[^\n]{0,80}: Permission denied", 0.86),
            _P(
                r"(?-i:(?<![\w./-])(?P<program>[\w./-]+): (?:command )?not found)|exit(?:ed)?(?: with)?[ -]?(?:code|status)?\W{0,4}12[67]\b",
                0.76,
            ),
        ),
    ),
    FailureClass(
        "hyperparameters",
        Family.SCRIPT,
        "The program does not accept the hyperparameters that it was given.",
        "Correct the names and values in job.hyperparameters.",
        "you",
        (
            _P(
                r"^(?:tyro: )?[ \t│|╭─]*(?:Error: )?(?:No such option|Unrecognized options?)\b|unrecogni[sz]ed option|(?:unknown|invalid) option\b|option requires an argument",
                0.92,
            ),
            _P(
                r"are not used by the HfArgumentParser|Flags parsing error|Unknown command line flag|\bDocoptExit\b|Could not consume arg|error: (?:Validation failed|Parser key|Key ['\"]|Configuration check failed)|doesn't have a parameter named",
                0.93,
            ),
            _P(
                r"Could not override ['\"](?P<override>[^'\"\n]+)|Key ['\"](?P<override_key>\w+)['\"] is not in struct|\bConfigCompositionException\b",
                0.93,
                fix="Correct the name of the override {override}: the configuration has no such key.",
            ),
            _P(
                r"error: (?:unrecognized arguments|argument [^\n:]+:|the following arguments are required)[^\n]*",
                0.93,
            ),
            _P(
                r"(?:invalid|missing|unknown|extraneous|unsupported|required|not allowed|failed to validate|no value)[^\n]{0,80}hyper-?parameter|hyper-?parameters?\b[^\n]{0,100}(?:invalid|required|not allowed|unknown|out of range|extraneous|must|not (?:a )?valid|unsupported|failed)",
                0.88,
            ),
            _P(r"ClientError:[^\n]{0,200}\b(?:parameters?|arguments?|propert(?:y|ies))\b", 0.55, "reason"),
            _P(
                r"^Error: (?:No such option|Missing (?:option|argument|parameter)|Invalid value for|Got unexpected extra argument)",
                0.9,
            ),
            _P(
                r"Additional properties are not allowed|Some keys are not used by the HfArgumentParser|for Parameter \w+ (?:should|exceed)",
                0.88,
            ),
        ),
    ),
    FailureClass(
        "nan_loss",
        Family.SCRIPT,
        "The loss became NaN or infinite.",
        "Lower the learning rate, clip gradients, or use bf16.",
        "you",
        (
            _P(
                r"Loss (?:is|was|became|has become) (?:nan|inf\w*|not finite|non-?finite)|(?:non-?finite|nan|infinite) (?:loss|gradient)s?\b|loss (?:diverged|exploded)",
                0.93,
            ),
            _P(
                r"loss[ _]scale (?:already )?(?:at minimum|reached)|minimum loss scale|returned nan values",
                0.94,
            ),
            _P(
                r"^[^\n]*(?:Error|Exception|FATAL)\b[^\n]{0,120}\b(?:NaNs?|inf|not finite|non-?finite)\b",
                0.75,
            ),
            _P(r"probability tensor contains either|NaN or Inf found", 0.88),
            _P(r"^its last numbers are not finite$", 0.76, "fact"),
            _P(r"['\"]?(?:\w+_)?loss['\"]?\s*[:=]\s*['\"]?(?:nan|-?inf)\b", 0.57, "log"),
        ),
    ),
    FailureClass(
        "metric_expression",
        Family.SCRIPT,
        "The job is Completed, and metric.regex does not read the number that it printed.",
        "Correct metric.regex, and try it with wpfsm metric test: {trouble}.",
        "you",
        (_P(r"^metric: (?P<trouble>[^\n]+)$", 0.9, "fact"),),
    ),
    FailureClass(
        "false_success",
        Family.SCRIPT,
        "The job is Completed and printed no metric: it may have trained nothing (a launcher that hides an exit code does that).",
        "Check that the script prints the metric and ends non-zero when it fails.",
        "you",
        (
            _P(
                r"^completed without its metric: (?P<hidden>[^\n]+)$",
                0.7,
                "fact",
                fix="Print the metric without colours and escape codes (NO_COLOR=1), or allow for them in metric.regex: {hidden}.",
            ),
            _P(r"^completed without its metric$", 0.7, "fact"),
        ),
    ),
    FailureClass(
        "crash",
        Family.SCRIPT,
        "The process died by a signal (native code, an instruction the CPU does not have, another rank's abort).",
        "It died in native code that {place} calls: check that extension against the image and the instance type.",
        "you",
        (
            _P(
                r"segmentation fault|SIGSEGV|SIGILL|SIGABRT|SIGFPE|SIGBUS|illegal instruction|core dumped|Fatal Python error",
                0.82,
            ),
            _P(r"exit(?:ed)?(?: with)?[ -]?(?:code|status)?\W{0,4}(?:13[2469]|-(?:4|6|8|11))\b", 0.68),
            _P(r"MPI_ABORT was invoked|terminate called after throwing|terminate called without", 0.62),
        ),
        otherwise="Run with PYTHONFAULTHANDLER=1; check native extensions against the instance type.",
    ),
    FailureClass(
        "script_error",
        Family.SCRIPT,
        "The training code raised an exception.",
        "Correct the code at {place}.",
        "you",
        (
            _P(
                r"block: \[[\d,]+\], thread: \[[\d,]+\] Assertion [`'](?P<assertion>[^`'\n]+)[`'] failed",
                0.89,
                fix="Check labels and indices against the number of classes or rows: one is outside ({assertion}).",
            ),
            _P(
                r"^PermissionError: \[Errno \d+\][^\n]*?['\"](?P<path>[^'\"\n]+)",
                0.73,
                "exception",
                fix="Write to a folder that the job may write to (/opt/ml/output, /opt/ml/checkpoints, /tmp), or change the mode of {path}.",
            ),
            _P(
                r"^TypeError: (?P<taker>(?:Seq2Seq)?TrainingArguments|(?:\w+)?Trainer|(?:SFT|DPO|PPO|GRPO|ORPO|KTO|Reward|Lora|BitsAndBytes|Generation)Config|Accelerator)\.__init__\(\) got an unexpected keyword argument ['\"](?P<argument>\w+)",
                0.7,
                "exception",
                fix="Rename {argument}, or pin the package of {taker}: the installed version has no such argument.",
            ),
            _P(
                r"device-side assert triggered|mat1 and mat2 shapes cannot|same device, but found|size mismatch for|attempted relative import",
                0.88,
            ),
            _P(r"block: \[[\d,]+\], thread: \[[\d,]+\] Assertion [^\n]* failed", 0.87),
            _P(
                r"CUDA error: (?:invalid|misaligned|an illegal)|No CUDA GPUs are available|Found no NVIDIA driver|not compiled with CUDA enabled",
                0.85,
            ),
            _P(rf"^(?!{_WRAPPERS})[\w.]+(?::|$)", 0.6, "exception"),
            _P(r"cannot import name|has no attribute", 0.5),
            _P(r"XGBoostError|Check failed:", 0.55),
            _P(r"^Error(?: in [^\n]{1,200}?)? ?: [^\n]+(?:\n[^\n]*){0,3}?\n?Execution halted", 0.58, "log"),
            _P(r"exit(?:ed)?(?: with)?[ -]?(?:code|status)\W{0,4}[1-9]\d*\b", 0.35, "reason"),
            _P(r"\bfailed with exception\b|(?:unhandled|uncaught) (?:\w+ )?exception", 0.5),
            _P(r"\bAlgorithm ?Error\b|framework error", 0.4),
            _P(r"\bExecuteUserScriptError\b", 0.42),
        ),
        otherwise="Read the last lines of the log: they name no line of the code.",
    ),
    # -- other --------------------------------------------------------------------------------------------
    FailureClass(
        "network",
        Family.OTHER,
        "The job or the service could not reach an endpoint.",
        "Check the route, the VPC endpoints and the proxy; with network isolation nothing outside is reachable.",
        "you",
        (
            _P(
                r"InsufficientFreeAddressesInSubnet|(?:not|n't) have enough free addresses",
                0.97,
                fix="Free addresses in the subnet, or name another one in pool.vpc.",
            ),
            _P(r"route to (?:an )?S3|VPC endpoint|NAT (?:device|gateway)|allow outbound traffic", 0.96),
            _P(r"^error: Failed to fetch: |error sending request for url \(", 0.91),
            _P(
                r"connection broken by[^\n]*\n(?:[^\n]*\n){0,12}?[^\w\n]*ERROR: (?:Could not find a version|No matching)",
                0.965,
            ),
            _P(
                r"Could not connect to the endpoint URL|EndpointConnectionError|couldn't connect to ['\"]?https?|Max retries exceeded with url",
                0.92,
            ),
            _P(
                r"name resolution|Name or service not known|getaddrinfo failed|Could not resolve host|NewConnectionError",
                0.91,
            ),
            _P(
                r"(?:Connect|Read)Timeout\w*|Read timed out|Connection (?:refused|aborted)|No route to host|Network is unreachable|ProxyError|Failed to connect to \S+ port|Connection timed out",
                0.87,
            ),
            _P(r"outgoing traffic has been disabled|offline mode is enabled|OfflineModeIsEnabled", 0.92),
            _P(
                r"SSLError|CERTIFICATE_VERIFY_FAILED|\b50[234] (?:Server Error|Bad Gateway|Service Unavailable|Gateway)",
                0.86,
            ),
            _P(r"^(?:[\w.]+\.)?ConnectionError\b", 0.82, "exception"),
            _P(r"Connection reset by peer|(?:Artifact|model) upload failed", 0.62),
        ),
    ),
    FailureClass(
        "request_invalid",
        Family.OTHER,
        "The service refuses the request as written. No job exists.",
        "Correct the field that the message names.",
        "you",
        (
            _P(
                r"validation errors? detected|failed to satisfy constraint|Param(?:eter )?Validation ?(?:Error|failed)|Invalid \w*Request",
                0.92,
            ),
            _P(
                r"^(?:Validation\w*|InvalidParameter\w*|InvalidRequest\w*|SerializationException|ResourceInUse\w*|ResourceNotFound\w*|\w*NotFound\w*|ConflictException|MissingParameter\w*)\b",
                0.63,
                "api",
            ),
        ),
        no_job=True,
    ),
    FailureClass(
        "unknown",
        Family.OTHER,
        "Nothing in the evidence says why.",
        "Read the log; there is no guess here.",
        "you",
    ),
)
"""Every class; ``unknown`` is last and has no pattern."""

CLASSES: dict[str, FailureClass] = {row.name: row for row in TAXONOMY}
