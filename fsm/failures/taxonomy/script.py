"""The script's own mistakes; its last row is a plain exception that nothing else explains."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

_WRAPPERS = (
    r"(?:\w+\.)*(?:CalledProcessError|ChildFailedError|ExecuteUserScriptError|AlgorithmError|SystemExit"
    r"|Process(?:Raised|Exited)Exception|RayTaskError|KeyboardInterrupt)\b"
)

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "entrypoint",
        Family.SCRIPT,
        "The container could not start the program.",
        "Check job.entry, its mode, its line ends and the image's entry point.",
        "you",
        (
            LogPattern(
                r"executable file not found|exec (?:user process|format error|\S+ failed)|exec format error|CannotStartContainer\w*",
                0.93,
            ),
            LogPattern(
                r"can't open file ['\"]?(?P<file>[^'\":\n]+)|bad interpreter|\\r['\"]?: (?:command not found|No such file)|(?-i:\^M)['\"]?: ",
                0.92,
            ),
            LogPattern(
                r"unexpected EOF while looking for matching|not a valid identifier|syntax error near unexpected token",
                0.92,
            ),
            LogPattern(r"(?:bash|sh|tini|exec|env)\b[^\n]{0,80}: Permission denied", 0.86),
            LogPattern(
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
            LogPattern(
                r"^(?:tyro: )?[ \t│|╭─]*(?:Error: )?(?:No such option|Unrecognized options?)\b|unrecogni[sz]ed option|(?:unknown|invalid) option\b|option requires an argument",
                0.92,
            ),
            LogPattern(
                r"are not used by the HfArgumentParser|Flags parsing error|Unknown command line flag|\bDocoptExit\b|Could not consume arg|error: (?:Validation failed|Parser key|Key ['\"]|Configuration check failed)|doesn't have a parameter named",
                0.93,
            ),
            LogPattern(
                r"Could not override ['\"](?P<override>[^'\"\n]+)|Key ['\"](?P<override_key>\w+)['\"] is not in struct|\bConfigCompositionException\b",
                0.93,
                fix="Correct the name of the override {override}: the configuration has no such key.",
            ),
            LogPattern(
                r"error: (?:unrecognized arguments|argument [^\n:]+:|the following arguments are required)[^\n]*",
                0.93,
            ),
            LogPattern(
                r"(?:invalid|missing|unknown|extraneous|unsupported|required|not allowed|failed to validate|no value)[^\n]{0,80}hyper-?parameter|hyper-?parameters?\b[^\n]{0,100}(?:invalid|required|not allowed|unknown|out of range|extraneous|must|not (?:a )?valid|unsupported|failed)",
                0.88,
            ),
            LogPattern(
                r"ClientError:[^\n]{0,200}\b(?:parameters?|arguments?|propert(?:y|ies))\b", 0.55, "reason"
            ),
            LogPattern(
                r"^Error: (?:No such option|Missing (?:option|argument|parameter)|Invalid value for|Got unexpected extra argument)",
                0.9,
            ),
            LogPattern(
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
            LogPattern(
                r"Loss (?:is|was|became|has become) (?:nan|inf\w*|not finite|non-?finite)|(?:non-?finite|nan|infinite) (?:loss|gradient)s?\b|loss (?:diverged|exploded)",
                0.93,
            ),
            LogPattern(
                r"loss[ _]scale (?:already )?(?:at minimum|reached)|minimum loss scale|returned nan values",
                0.94,
            ),
            LogPattern(
                r"^[^\n]*(?:Error|Exception|FATAL)\b[^\n]{0,120}\b(?:NaNs?|inf|not finite|non-?finite)\b",
                0.75,
            ),
            LogPattern(r"probability tensor contains either|NaN or Inf found", 0.88),
            LogPattern(r"^its last numbers are not finite$", 0.76, "fact"),
            LogPattern(r"['\"]?(?:\w+_)?loss['\"]?\s*[:=]\s*['\"]?(?:nan|-?inf)\b", 0.57, "log"),
        ),
    ),
    FailureClass(
        "metric_expression",
        Family.SCRIPT,
        "The job is Completed, and metric.regex does not read the number that it printed.",
        "Correct metric.regex, and try it with wpfsm metric test: {trouble}.",
        "you",
        (LogPattern(r"^metric: (?P<trouble>[^\n]+)$", 0.9, "fact"),),
    ),
    FailureClass(
        "false_success",
        Family.SCRIPT,
        "The job is Completed and printed no metric: it may have trained nothing (a launcher that hides an exit code does that).",
        "Check that the script prints the metric and ends non-zero when it fails.",
        "you",
        (
            LogPattern(
                r"^completed without its metric: (?P<hidden>[^\n]+)$",
                0.7,
                "fact",
                fix="Print the metric without colours and escape codes (NO_COLOR=1), or allow for them in metric.regex: {hidden}.",
            ),
            LogPattern(r"^completed without its metric$", 0.7, "fact"),
        ),
    ),
    FailureClass(
        "crash",
        Family.SCRIPT,
        "The process died by a signal (native code, an instruction the CPU does not have, another rank's abort).",
        "It died in native code that {place} calls: check that extension against the image and the instance type.",
        "you",
        (
            LogPattern(
                r"segmentation fault|SIGSEGV|SIGILL|SIGABRT|SIGFPE|SIGBUS|illegal instruction|core dumped|Fatal Python error",
                0.82,
            ),
            LogPattern(
                r"exit(?:ed)?(?: with)?[ -]?(?:code|status)?\W{0,4}(?:13[2469]|-(?:4|6|8|11))\b", 0.68
            ),
            LogPattern(
                r"MPI_ABORT was invoked|terminate called after throwing|terminate called without", 0.62
            ),
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
            LogPattern(
                r"block: \[[\d,]+\], thread: \[[\d,]+\] Assertion [`'](?P<assertion>[^`'\n]+)[`'] failed",
                0.89,
                fix="Check labels and indices against the number of classes or rows: one is outside ({assertion}).",
            ),
            LogPattern(
                r"^PermissionError: \[Errno \d+\][^\n]*?['\"](?P<path>[^'\"\n]+)",
                0.73,
                "exception",
                fix="Write to a folder that the job may write to (/opt/ml/output, /opt/ml/checkpoints, /tmp), or change the mode of {path}.",
            ),
            LogPattern(
                r"^TypeError: (?P<taker>(?:Seq2Seq)?TrainingArguments|(?:\w+)?Trainer|(?:SFT|DPO|PPO|GRPO|ORPO|KTO|Reward|Lora|BitsAndBytes|Generation)Config|Accelerator)\.__init__\(\) got an unexpected keyword argument ['\"](?P<argument>\w+)",
                0.7,
                "exception",
                fix="Rename {argument}, or pin the package of {taker}: the installed version has no such argument.",
            ),
            LogPattern(
                r"device-side assert triggered|mat1 and mat2 shapes cannot|same device, but found|size mismatch for|attempted relative import",
                0.88,
            ),
            LogPattern(r"block: \[[\d,]+\], thread: \[[\d,]+\] Assertion [^\n]* failed", 0.87),
            LogPattern(
                r"CUDA error: (?:invalid|misaligned|an illegal)|No CUDA GPUs are available|Found no NVIDIA driver|not compiled with CUDA enabled",
                0.85,
            ),
            LogPattern(rf"^(?!{_WRAPPERS})[\w.]+(?::|$)", 0.6, "exception"),
            LogPattern(r"cannot import name|has no attribute", 0.5),
            LogPattern(r"XGBoostError|Check failed:", 0.55),
            LogPattern(
                r"^Error(?: in [^\n]{1,200}?)? ?: [^\n]+(?:\n[^\n]*){0,3}?\n?Execution halted", 0.58, "log"
            ),
            LogPattern(r"exit(?:ed)?(?: with)?[ -]?(?:code|status)\W{0,4}[1-9]\d*\b", 0.35, "reason"),
            LogPattern(r"\bfailed with exception\b|(?:unhandled|uncaught) (?:\w+ )?exception", 0.5),
            LogPattern(r"\bAlgorithm ?Error\b|framework error", 0.4),
            LogPattern(r"\bExecuteUserScriptError\b", 0.42),
        ),
        otherwise="Read the last lines of the log: they name no line of the code.",
    ),
)
