"""Packages that are missing, do not fit together or cannot be installed."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

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

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "missing_module",
        Family.DEPENDENCY,
        "The job imports a module that neither the image nor requirements.txt provides.",
        "Add the distribution that provides {module} to requirements.txt.",
        "wpfsm",
        (
            LogPattern(
                r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?(?P<module>[\w.]+)", 0.92
            ),
            LogPattern(r"python[\d.]*: No module named (?P<module>[\w.]+)", 0.9),
            LogPattern(r"^[^\w\n]*No module named ['\"](?P<module>[\w.]+)['\"]", 0.85),
            LogPattern(
                r"requires? (?:the )?(?P<module>[\w.-]+)(?: library)?,? (?:but it was not found|which is not installed|to be installed)",
                0.88,
            ),
            LogPattern(
                r"packages? that (?:were|was) not found in your environment: (?P<module>[\w.-]+)", 0.92
            ),
            LogPattern(
                r"(?:Error|requires?|missing|not installed|not found)\b(?![^\n]{0,200}Command ['\"\[])[^\n]{0,200}\bpip3? install (?P<install>[^\n]{1,200})",
                0.8,
            ),
            LogPattern(r"Missing optional dependency ['\"](?P<module>[\w.-]+)", 0.9),
            LogPattern(
                r"\b(?:package|module|library|dependency) ['\"`]?(?P<module>[\w.-]+)['\"`]? (?:seems to be|appears to be|is|was) (?:not|un)[ -]?(?:installed|available|found)",
                0.88,
                "exception",
            ),
            LogPattern(
                rf"^(?:\w+\.)*\w*ImportError: [^\n]*?{_NOT_PIP}\binstall (?:-(?:U|q|qU|-upgrade|-user|-quiet|-pre|-no-cache-dir) )*"
                rf"(?:the )?(?!{_PROSE})['\"`]?(?P<module>[A-Za-z][\w-]*(?:\.[\w-]+)*)(?![\w-]|\.\w|[+/@\\\\]|:/| @){_NO_FILE}",
                0.7,
                "exception",
            ),
            LogPattern(r"^(?:\w+\.)*\w*ImportError: [^\n]*\binstall\b", 0.7, "exception"),
            LogPattern(
                r"PackageNotFoundError: (?:No package metadata was found for )?['\"]?(?P<distribution>[\w.-]+)",
                0.88,
            ),
            LogPattern(
                r"The ['\"](?P<requirement>[\w.<>=!-]+)['\"] distribution was not found and is required", 0.9
            ),
            LogPattern(
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
            LogPattern(
                r"cannot import name ['\"]?(?P<name>\w+)['\"]? from (?:partially initialized module )?['\"](?P<module>[\w.]+)",
                0.9,
                unless_local=True,
            ),
            LogPattern(
                r"`np\.(?P<name>\w+)` was removed in the (?P<module>NumPy) (?P<since>\d+\.\d+) release",
                0.93,
                fix="Pin numpy<{since}: {name} was removed in it, and a package that is installed still uses it.",
            ),
            LogPattern(r"ImportError: cannot import name ['\"]?(?P<name>\w+)['\"]?\s*$", 0.82),
            LogPattern(
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
            LogPattern(
                rf"(?<![\w.-])(?P<requirement>{_REQUIREMENT}) is required for a normal functioning[^\n]*but found (?P<installed>[\w.=-]+)",
                0.94,
            ),
            LogPattern(r"compiled using (?P<module>NumPy) 1\.x cannot be run in", 0.75),
            LogPattern(
                r"(?P<module>numpy)\.(?:\w+\.)*\w+ size changed, may indicate binary incompatibility", 0.93
            ),
            LogPattern(
                r"(?P<module>numpy)(?:\.core\.multiarray failed to import| is not available)|_ARRAY_API not found",
                0.86,
            ),
            LogPattern(r"(?:Contextual)?VersionConflict\b", 0.9),
            LogPattern(
                r"requires? (?:a |an )?(?P<requirement>[A-Za-z][\w.-]* ?[<>=!~]=?=? ?[\d][\w.]*(?:, ?[<>=!~]=?=? ?[\d][\w.]*)*)(?![^\n]*which is incompatible)[^\n]{0,60}(?:but|found|installed|you have|got)\b",
                0.8,
            ),
            LogPattern(
                r"requires? (?:a |an )?(?P<module>[A-Za-z][\w.-]*) (?:version )?(?:at least|newer than|or newer)[^\n]{0,60}(?:but|found|installed|you have|got)\b",
                0.78,
            ),
            LogPattern(
                r"needs? (?P<module>[A-Za-z][\w.-]*) (?:version )?v?[\d.]+ or (?:less|lower|older|newer|greater|higher|later)",
                0.88,
            ),
            LogPattern(
                r"did not match any variant of untagged enum \w+",
                0.9,
                fix="Upgrade tokenizers and transformers: the tokenizer's file was written by a newer release.",
            ),
            LogPattern(
                r"(?:Could not (?:find|load) (?:the )?bitsandbytes|CUDA is required but not available for bitsandbytes)[^\n]*",
                0.94,
                fix="Pin bitsandbytes to a release that ships the binary for the image's CUDA.",
            ),
            LogPattern(
                r"torchvision::nms does not exist",
                0.92,
                fix="Install the torchvision release that belongs to the installed torch.",
            ),
            LogPattern(r"Descriptors cannot (?:not )?be created directly", 0.9),
            LogPattern(r"(?P<module>Keras) 3,? but this is not yet supported", 0.9),
            LogPattern(r"(?P<module>Transformers) does not recognize this architecture", 0.88),
            LogPattern(
                r"no kernel image is available for execution|CUDA driver version is insufficient|NVIDIA driver on your system is too old",
                0.92,
            ),
            LogPattern(r"(?:compiled|built) with (?:a )?different CUDA|CUDA version[^\n]{0,60}mismatch", 0.9),
            LogPattern(r"\bbuilt (?:for|with|against)\b[^\n]{0,40}\n?[^\n]{0,80}\(you have\b", 0.85),
            LogPattern(
                r"CUDA Setup failed despite|bitsandbytes[^\n]{0,60}(?:without GPU support|libbitsandbytes)",
                0.85,
            ),
            LogPattern(
                r"(?:is )?incompatible with (?:the )?(?:installed|current|this) [\w.]* ?version|incompatible (?:[\w/]+ ){0,4}versions?\b",
                0.75,
            ),
            LogPattern(
                r"\bversion\b[^\n]{0,60}\b(?:is|are)(?: \w+ than and)? incompatible with|\bversion\b[^\n]{0,40}does not match the version",
                0.8,
            ),
            LogPattern(r"^(?:\w+\.)*\w*Version(?:Conflict|Error|Mismatch)\w*\b", 0.8, "exception"),
            LogPattern(
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
            LogPattern(r"(?<![\w.+-])(?P<library>[\w.+-]+\.so[\w.]*): cannot open shared object file", 0.92),
            LogPattern(
                r"(?<![A-Za-z0-9_])(?P<package>[A-Za-z][A-Za-z_]*?)(?:_\d+)?(?:_cuda|_C|_ext|_kernels)?(?:\.[\w.-]*)?\.so[\w.]*: undefined symbol: _ZN\w+",
                0.93,
                fix="Install the wheel of {package} that was built for the installed torch and CUDA, or build it against them.",
            ),
            LogPattern(
                r"undefined symbol: \w+|(?P<library>GLIBC(?:XX)?_[\d.]+|CXXABI_[\d.]+)['`]? not found", 0.92
            ),
            LogPattern(r"in static TLS block", 0.95),
            LogPattern(
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
            LogPattern(
                r"ResolutionImpossible|conflicting dependencies|your requirements are unsatisfiable", 0.95
            ),
            LogPattern(
                r"No solution found when resolving|version solving failed|Unsatisfiable(?:Error)?\b", 0.93
            ),
            LogPattern(r"Double requirement given", 0.92),
            LogPattern(
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
            LogPattern(
                r"Could not find a version that satisfies the requirement (?P<requirement>[^\n(]+?)(?: \(from (?:-[rc] [^\n]*?|(?P<dependent>(?!versions)[^\n]*?))\)+)? \(from versions: ?(?P<versions>[^)\n]*)\)",
                0.95,
            ),
            LogPattern(r"No matching distribution found for (?P<requirement>[^\n(]+)", 0.94),
            LogPattern(r"there (?:is|are) no versions? of (?P<requirement>\S+)", 0.95),
            # uv closes every such message with "unsatisfiable", which alone is a conflict.
            LogPattern(
                r"Because there is no version of (?P<requirement>\S+) and you require (?P=requirement)(?=[\s,])",
                0.96,
            ),
            LogPattern(
                r"Because (?P<requirement>\S+) was not found in the (?:package registry|provided package locations)",
                0.96,
            ),
            LogPattern(r"only the following versions of (?P<distribution>\S+) (?:is|are) available", 0.94),
            LogPattern(
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
            LogPattern(
                r"^[ \t]*Collecting (?P<distribution>[A-Za-z][\w.-]*)[^\n]*\n(?:(?![ \t]*Collecting )[^\n]*\n){0,40}?[^\n]*ModuleNotFoundError: No module named ['\"](?P<needs>\w+)['\"][^\n]*\n[^\n]*\[end of output\]",
                0.965,
                fix="Use a prebuilt wheel of {distribution}, or install it with --no-build-isolation behind {needs}: its build imports {needs}.",
                stuck="the build imports a package that an isolated build does not see; another version would, too",
            ),
            LogPattern(
                r"(?:Could not build wheels for|Failed building wheel for|Failed to build installable wheels for some pyproject\.toml based projects \(?|Failed to build) ['\"`(]*(?P<distribution>[A-Za-z][\w.-]*)",
                0.95,
            ),
            LogPattern(
                r"^[ \t]*Collecting (?P<distribution>[A-Za-z][\w.-]*)[^\n]*\n(?:(?![ \t]*Collecting )[^\n]*\n){0,25}?[^\n]*subprocess-exited-with-error",
                0.945,
            ),
            LogPattern(
                r"subprocess-exited-with-error|metadata-generation-failed|legacy-install-failure|build backend returned an error",
                0.945,
            ),
            LogPattern(
                r"setup\.py (?:egg_info|bdist_wheel|install)[^\n]{0,80}(?:failed|error)|error in (?P<distribution>[\w.-]+) setup command",
                0.93,
            ),
            LogPattern(
                r"error: command ['\"]?[^\n]{0,80}(?:gcc|g\+\+|cc|nvcc|cmake|ninja)['\"]? (?:failed|not found)|can't find Rust compiler",
                0.93,
            ),
            LogPattern(
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
            LogPattern(r"\bInstall(?:Module|Requirements)Error\b", 0.82),
            LogPattern(
                r"Did not find branch or tag|pathspec [^\n]{1,200} did not match|\bgit (?:checkout|clone|fetch|rev-parse)\b[^\n]* did not run successfully|Could not detect requirement name for|Cannot find command ['\"](?:git|hg|svn)",
                0.96,
                fix="Check the address and the revision of the requirement that comes from version control, and that the image has git.",
            ),
            LogPattern(
                r"\b40[13] Error, Credentials not correct[^\n]*\n(?:[^\n]*\n){0,6}?[^\n]*ERROR: (?:Could not find|No matching)|HTTP error 40[13] while getting",
                0.97,
                fix="Renew the credentials of the package index or the address that the installer names: no other version helps.",
            ),
            LogPattern(
                r"uninstall-distutils-installed-package|Cannot uninstall ['\"]?(?P<distribution>[A-Za-z][\w.-]*)",
                0.94,
                fix="Ask for the version of {distribution} that the image has, or leave it out: the installer cannot remove the image's.",
            ),
            LogPattern(
                r"(?P<wheel>[\w.+-]+\.whl) is not a supported wheel on this platform",
                0.94,
                fix="Take the wheel for the image's Python and platform: {wheel} is for another.",
            ),
            LogPattern(
                r"has inconsistent (?:version|name): |is not installable\. Neither|To modify pip, please run|does not appear to be a Python project|legacy dependency resolver does not consider",
                0.92,
            ),
            LogPattern(
                r"^[ \t]*(?:Collecting|Downloading|Using cached|Obtaining|Processing|Looking in indexes|Preparing metadata|Requirement already satisfied|Installing collected packages)\b[^\n]*\n(?:[^\n]*\n){0,3}?[^\w\n]*(?i:ERROR): (?!pip's dependency resolver)",
                0.78,
            ),
            LogPattern(r"^[^\w\n]*ERROR: (?:Invalid requirement|Could not open requirements file)", 0.92),
            LogPattern(r"^[^\w\n]*ERROR: Could not install packages", 0.85),
            LogPattern(r"DO NOT MATCH THE HASHES|require-hashes mode|externally-managed-environment", 0.93),
            LogPattern(r"\bpip3?\b[^\n]{0,40}\binstall\b[^\n]*\n(?:[^\n]*\n){0,6}?[^\w\n]*ERROR\b", 0.78),
            LogPattern(r"CalledProcessError: Command [^\n]{0,300}\bpip3?\b['\", ]{1,4}install\b", 0.8),
            LogPattern(r"[\\/]pip[\\/]_internal[\\/]", 0.7),
        ),
    ),
)
