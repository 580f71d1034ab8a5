"""Python tracebacks in a training log: whose they are, which one ended the job, and where it points.

A log of several ranks interleaves their lines behind prefixes (``[rank0]:``, ``[1,mpirank:0,algo-1]<stderr>:``,
``algo-1-x | ``); a FailureReason is cut at 1024 characters and often has lost its indentation. Both are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from wpfsm.fsm.failures.model import Location

LONGEST_LINE = 4_000
"""Characters of a line that are read; longer ones are data, and cost every pattern its time."""

_OCTAL = re.compile(r"#(0[0-3][0-7])")
_ANSI = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\?\[\d+m")
_LONG_WORD = re.compile(r"\S{401,}")  # encoded data: explains nothing, and costs a search quadratic time
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?[ \t]")
_STREAM = re.compile(
    r"\[\d+,\w*:?\d+(?:,[\w.-]+)?\]\s*<std(?:err|out)>:\s?"
    r"|\[(?:rank|default)\d+\]:\s?"
    r"|[\w.-]{0,80}algo-\d+\S*\s+\|\s?"
    r"|[a-z][\w.-]{0,80}[-_]\d+\s+\|\s?"
    r"|std(?:out|err) [FP] "
    r"|[\w.-]+/algo-\d+-\d+[ \t]"
    r"|\([\w.]+ pid=\d+(?:, ip=[\d.]+)?\)\s"
)
_FRAME = re.compile(
    r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?\s*$'
    r"|^\s*[│|]\s+(?P<rich_file>\S+\.py):(?P<rich_line>\d+) in (?P<rich_function>\S+)"
)
_EXCEPTION = re.compile(
    r"^(?P<type>(?:[A-Za-z_]\w*\.)*_*[A-Z]\w*|(?:[a-z_]\w*\.)+(?:error|timeout|gaierror))(?P<rest>:(?:\s.*)?|)$"
)
_NAMED_LIKE_ONE = re.compile(r"(?:Error|Exception|Interrupt|Exit|Timeout|Timeout\w+)$")
_DUMP = re.compile(r"(?P<current>Current thread|Thread) \S+ [^\n]*\(most recent call first\)")
_DUMPED = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')
_HEADER = re.compile(r"Traceback \(most recent call last\)")
_DIRECT_CAUSE = re.compile(r"The above exception was the direct cause")
_CONTEXT = re.compile(r"During handling of the above exception")
_LOG_LINE = re.compile(r"^(?:\d{4}-\d\d-\d\d|\[?\d\d:\d\d:\d\d|(?:INFO|WARNING|ERROR|DEBUG)\b|\[\w* ?\d{4}-)")
_LIBRARY = re.compile(r"(?:site|dist)-packages/|/lib/python\d|^<|/runpy\.py$|/sm_drivers/")
_CONTAINER_ROOT = re.compile(r"^/opt/ml/(?:input/data/)?code/|^/opt/ml/input/data/code/")

WRAPPERS = frozenset(
    {
        "AlgorithmError",
        "CalledProcessError",
        "ChildFailedError",
        "ExecuteUserScriptError",
        "FailedStatusError",
        "InstallModuleError",
        "InstallRequirementsError",
        "ProcessExitedException",
        "ProcessRaisedException",
        "RayTaskError",
        "SystemExit",
        "TrainingFailedError",
        "UnexpectedStatusException",
    }
)
"""Exceptions by which a launcher reports that something else failed; never the cause."""

_CONSEQUENCE = re.compile(
    r"Dist(?:Backend|Network)Error|BrokenPipe|ConnectionReset|BrokenProcessPool|^EOFError"
    r"|ncclRemoteError|Connection (?:closed|reset) by (?:remote )?peer|SIGTERM|SignalException"
)
"""What the other ranks print when one of them has died."""


@dataclass(frozen=True)
class Frame:
    """One line of a traceback; ``code`` is the source line as printed, empty when it was not."""

    file: str
    line: int
    function: str
    code: str = ""

    @property
    def is_library(self) -> bool:
        """Whether the file belongs to an installed package, the standard library or a launcher."""
        return bool(_LIBRARY.search(self.file))


@dataclass(frozen=True)
class Raised:
    """One exception as it was printed.

    Attributes:
        type: the exception's name as printed, with its module where that was printed.
        message: its message; continuation lines follow after a newline.
        frames: outermost first; empty when only the last line of the traceback is there.
        stream: the prefix of the rank or host that printed it; empty for a plain log.
        start: index of the first line that belongs to it.
        end: index after the last one.
        chain: equal for exceptions that one traceback joins ("during handling of", "direct cause of").
        is_cause: the next exception of the chain was raised from this one.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]
    stream: str
    start: int
    end: int
    chain: int
    is_cause: bool = False

    @property
    def name(self) -> str:
        """The exception's name without its module."""
        return self.type.rpartition(".")[2]

    @property
    def headline(self) -> str:
        """``Type: first line of the message``, as Python prints it."""
        lines = [line for line in self.message.splitlines() if line.strip()]
        return f"{self.type}: {lines[0]}" if lines else self.type

    @property
    def is_wrapper(self) -> bool:
        """Whether a launcher raised it to say that a child process failed."""
        if self.name == "ClientError":  # the service's prefix; botocore's says more
            return "An error occurred (" not in self.message
        return self.name in WRAPPERS

    @property
    def in_user_code(self) -> bool:
        """Whether a frame of the user's own code is in its traceback."""
        return any(not frame.is_library for frame in self.frames)

    @property
    def is_consequence(self) -> bool:
        """Whether it says that another rank went away."""
        return bool(_CONSEQUENCE.search(self.headline))


def without_escapes(line: str) -> str:
    """The line without colours and cursor movements, whether they are there as such or as a collector writes them.

    Control characters come as ``#033`` and the like from a system log, as ``?[31m`` from a terminal that was not one.
    """
    return _ANSI.sub("", _OCTAL.sub(lambda code: chr(int(code[1], 8)), line))


def clean(line: str) -> str:
    """The line as a terminal would leave it: no colours, the last state of a progress bar, no endless words."""
    bare = _LONG_WORD.sub(_cut, without_escapes(_shortened(line))).rstrip()
    return next((part for part in reversed(bare.split("\r")) if part.strip()), "").rstrip()


def _shortened(line: str) -> str:
    """A line of bearable length: its beginning and its end."""
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[: LONGEST_LINE // 2]} … {line[-LONGEST_LINE // 2 :]}"


def _cut(word: re.Match[str]) -> str:
    return f"{word.group()[:200]}…{word.group()[-100:]}"


def split_stream(line: str) -> tuple[str, str]:
    """The prefix that names the rank or host, and the line that it printed."""
    stamp = _STAMP.match(line)
    rest = line[stamp.end() :] if stamp else line
    prefix = _STREAM.match(rest)
    if prefix is None:
        is_traceback = rest.startswith(("Traceback", "  ")) or _EXCEPTION.match(rest)
        return "", rest if is_traceback else line
    return prefix.group().strip(), rest[prefix.end() :]


def bare(line: str) -> str:
    """What the program itself printed: the line without a collector's time, and a rank's or host's prefix."""
    stamp = _STAMP.match(line)
    rest = line[stamp.end() :] if stamp else line
    prefix = _STREAM.match(rest)
    return rest[prefix.end() :] if prefix else rest


def parse(lines: Sequence[str]) -> tuple[Raised, ...]:
    """Every exception in the lines, in the order in which they ended.

    Args:
        lines: cleaned lines (:func:`clean`).
    """
    streams: dict[str, list[tuple[int, str]]] = {}
    for index, line in enumerate(lines):
        stream, text = split_stream(line)
        streams.setdefault(stream, []).append((index, text))
    found = [raised for stream, rows in streams.items() for raised in _Reader(stream, rows).read()]
    return tuple(sorted(found, key=lambda raised: raised.end))


def dumped(lines: Sequence[str]) -> tuple[Frame, ...]:
    """The frames that Python's fault handler printed last for the thread that died, outermost first."""
    texts = [split_stream(line)[1] for line in lines]
    heads = [(index, found["current"]) for index, text in enumerate(texts) if (found := _DUMP.search(text))]
    current = [index for index, word in heads if word == "Current thread"]
    # A crash that names no current thread prints the one that died first.
    start = current[-1] if current else heads[0][0] if heads else len(texts)
    frames = takewhile(bool, (_DUMPED.match(text) for text in texts[start + 1 :]))
    printed = [Frame(frame["file"], int(frame["line"]), frame["function"]) for frame in frames if frame]
    return tuple(reversed(printed))


def root(raised: Iterable[Raised]) -> Raised | None:
    """The exception that ended the job: not a launcher's, not another rank's echo, else the last there is.

    In a chain made by ``raise ... from`` the first exception is the cause; in one made while handling, the last
    is what ended it. With several ranks the one that failed first decides.
    """
    real = [one for one in raised if not one.is_wrapper]
    candidates = [one for one in real if not one.is_consequence] or real
    if not candidates:
        return None
    own_stream = [one for one in candidates if one.stream == candidates[0].stream]
    last = own_stream[-1]
    chain = [one for one in own_stream if one.chain == last.chain and one.stream == last.stream]
    causes = [one for one in chain if one.is_cause]
    return causes[0] if causes and chain[-1] is last and causes[-1] is chain[-2] else last


def locate(frames: Sequence[Frame], source_files: Mapping[str, str]) -> Location | None:
    """The deepest frame in the user's own code, as a file of the source where it can be found there.

    Args:
        frames: outermost first.
        source_files: relative path to text of the loop's copy of the source; may be empty.
    """
    for frame in reversed(frames):
        local = None if frame.is_library else local_file(frame, source_files)
        if local is not None:
            return Location(local, frame.line, frame.function)
    own = [frame for frame in frames if not frame.is_library] or list(frames)
    if not own:
        return None
    deepest = own[-1]
    return Location(_CONTAINER_ROOT.sub("", deepest.file), deepest.line, deepest.function)


def local_file(frame: Frame, source_files: Mapping[str, str]) -> str | None:
    """The source file with the longest common path suffix; the printed code line breaks a tie."""
    wanted = frame.file.replace("\\", "/").split("/")
    ranked = [
        (_common_suffix(wanted, path.split("/")), _line_agrees(frame, text), path)
        for path, text in source_files.items()
    ]
    best = max((row for row in ranked if row[0]), default=None, key=lambda row: (row[0], row[1]))
    return best[2] if best else None


def _common_suffix(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


def _line_agrees(frame: Frame, text: str) -> bool:
    lines = text.splitlines()
    return bool(frame.code) and frame.line <= len(lines) and lines[frame.line - 1].strip() == frame.code


class _Reader:
    """Reads the tracebacks of one stream; a line is a frame, its code, or the exception that closes them."""

    def __init__(self, stream: str, rows: Sequence[tuple[int, str]]) -> None:
        self.stream = stream
        self.rows = rows
        self.found: list[Raised] = []
        self.frames: list[Frame] = []
        self.start: int | None = None
        self.chain = 0

    def read(self) -> list[Raised]:
        at = 0
        while at < len(self.rows):
            index, text = self.rows[at]
            frame = _FRAME.match(text)
            if frame:
                self.start = index if self.start is None else self.start
                self.frames.append(_frame(frame, self._code_after(at)))
            elif _HEADER.search(text):
                self.start, self.frames = index, []
            elif _DIRECT_CAUSE.search(text) or _CONTEXT.search(text):
                self._join(direct=bool(_DIRECT_CAUSE.search(text)))
            else:
                at += self._maybe_raised(at)
            at += 1
        return self.found

    def _code_after(self, at: int) -> str:
        following = self.rows[at + 1][1] if at + 1 < len(self.rows) else ""
        is_code = following.strip() and not _FRAME.match(following) and not _EXCEPTION.match(following)
        return following.strip() if is_code else ""

    def _join(self, *, direct: bool) -> None:
        """The next exception belongs to the chain of the last one."""
        self.chain -= 1 if self.found else 0
        if direct and self.found:
            last = self.found.pop()
            self.found.append(Raised(**{**vars(last), "is_cause": True}))

    def _maybe_raised(self, at: int) -> int:
        """Records the exception that this line names, if it does; returns how many more lines it took."""
        index, text = self.rows[at]
        # The training toolkit puts one space before each line of a traceback that it writes into FailureReason.
        match = _EXCEPTION.match(re.sub(r"^ (?=\S)", "", text) if self.frames else text.strip())
        if match is None or (not self.frames and not _NAMED_LIKE_ONE.search(match["type"])):
            return 0
        more = self._continuation(at + 1) if match["rest"] else []
        message = "\n".join([match["rest"].removeprefix(":").strip(), *more]).strip()
        start = index if self.start is None else self.start
        end = self.rows[at + len(more)][0] + 1
        self.found.append(
            Raised(match["type"], message, tuple(self.frames), self.stream, start, end, self.chain)
        )
        self.chain += 1
        self.frames, self.start = [], None
        return len(more)

    def _continuation(self, at: int, most: int = 6) -> list[str]:
        """The further lines of a message: up to a blank line, a new traceback or a log record."""
        taken: list[str] = []
        for _, text in self.rows[at : at + most]:
            starts_anew = _HEADER.search(text) or _FRAME.match(text) or _LOG_LINE.match(text)
            if not text.strip() or starts_anew or _EXCEPTION.match(text):
                break
            taken.append(text.strip())
        return taken


def _frame(match: re.Match[str], code: str) -> Frame:
    if match["rich_file"]:
        return Frame(match["rich_file"], int(match["rich_line"]), match["rich_function"])
    return Frame(match["file"], int(match["line"]), match["function"] or "<module>", code)
