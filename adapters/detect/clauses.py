"""From items to sentences: what is asked for, and what is denied, past, or about something else.

Each sentence has a *shape*: its items as one string in which tagged items are upper-case symbols
("try PARAM NUM , NUM"), so that a rule can be a regular expression over the grammar instead of over spelling.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from wpfsm.adapters.detect.grammar import Item, items_of
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.vocabulary import word_set


@dataclass(frozen=True)
class Shape:
    """Items and their symbols as one string, with the way back from a match to the items."""

    items: tuple[Item, ...]

    @cached_property
    def text(self) -> str:
        """The symbols, separated by blanks, with a blank at either end."""
        return " " + "".join(f"{item.symbol} " for item in self.items)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 1
        for item in self.items:
            starts.append(at)
            at += len(item.symbol) + 1
        return starts

    def index(self, offset: int) -> int:
        """The number of the item at a character offset of `text`."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def has(self, pattern: Rule) -> bool:
        """Whether the rule matches anywhere."""
        return pattern.search(self.text) is not None


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes:
        live: what is asked for: without what is denied, past, or about something else.
        told: what is asked for or told about the past (an error that happened is told).
        said: everything that is not denied.
        question: it asks for an explanation, an opinion or a fact rather than for a job.
        other: the word that makes a part of it no request for training, or "".
    """

    live: Shape
    told: Shape
    said: Shape
    question: bool
    other: str


# --- classes of words ---------------------------------------------------------------------------------------

TRY = word_set(
    """
    try sweep compare test search explore experiment vary ablate tune benchmark evaluate check measure
    see iterate cycle grid toggle alternate go investigate determine examine assess bisect quantify
    study optimize optimise scan walk find tweak repeat verify probe pit
    """
)
RUN = word_set(
    """
    train retrain run rerun launch relaunch submit resubmit start finetune fit refit do redo kick
    restart retry continue resume keep loop pretrain iterate
    """
)
CHANGE = word_set(
    """
    bump upgrade update pin unpin downgrade install reinstall uninstall fix resolve repair debug solve
    sort patch use add remove drop disable turnoff swap switch replace change set increase decrease
    raise lower halve double reduce get bring push move give take strip leave omit skip want need crank
    shrink cut roll loosen relax tighten improve hit reach make turn rebuild select isolate revert
    """
)
ASKING = TRY | RUN | CHANGE

OTHER_VERBS = word_set(
    """
    block gate hold delay postpone promote ship explain describe summarise summarize plot draw visualise
    visualize write document translate deploy redeploy host serve invoke delete kill list show print
    display upload download copy rename refactor review read estimate calculate compute convert merge
    annotate filter split shuffle preprocess clean alert notify monitor poll tag register open email
    generate predict infer define discuss recommend mention cite quote commit archive export teach
    answer highlight format lint concatenate migrate rank quantize quantise prune cancel implement
    tokenize tokenise compress encode parse cache crawl render buy order remind uses contains lists
    process draft author compose present zip attach mount validate save load
    reports shows includes says states
    """
)
_SERVERS = word_set("vllm sglang tgi ollama tensorrt llamacpp onnxruntime")
"""What answers requests with a model that is trained already."""
_STRONG = (
    r"endpoint|inference|latency|serving|deployment|generation|decoding|batchtransform|batchinference"
    r"|argparse|readme"
    r"|changelog|docstring|help text|process(?:ing)? job|postprocessing|inferencing|autoscaling"
    r"|async inference|lambda|api gateway|feature store|ground truth|processing step|preprocessing"
    r"|labeling job|labelling job"
    r"|(?:run|do|repeat|redo) (?:the |our |my |a )*(?:preprocess|tokenize|tokenise|encode|annotate)"
    r"|(?:flask|django|fastapi|react|web|streamlit|gradio) app"
    r"|beam (?:search|size|width)|prompts?|sampling|release note|overview|explanation|introduction|glue|etl|ci|airflow"
    r"|spark|emr|flaky"
    r"|cron|frontend|terraform|pipeline step|pipeline stage|unit test|test suite|office|status"
    r"|(?:check|look at|read|get|find) (?:the )?METRIC (?:of|from|for) (?:the|my|our|those)"
    r"|evaluate (?:the |our |my |this |it )+(?:model |checkpoint )?(?:at|on|with)"
    r"|(?:for|at|during) (?:serve|deploy|infer|predict|generate)"
)
_WEAK = (
    r"notebook|csv|column|bucket|quota|alarm|cost|price|pricing|doc|documentation|paper|blog|pr"
    r"|pull request|unit test"
    r"|pytest|registry|confusion matrix|confusion matrices|matrices|release note|channel|slack|ticket|jira"
    r"|dashboard|model card|annotator|article"
    r"|confusion|tokenizer|tokenizers|wisdom|meeting|invoice|table|spreadsheet|slide|tutorial|website"
    r"|function|variable|file size"
)
_STRONG_NOUN = Rule(rf" ({_STRONG}) ")
_WEAK_NOUN = Rule(rf" ({_WEAK}) ")
_EDITS = Rule(
    r" (?:add|make|put|create|introduce|insert|give) (?:\S+ ){0,6}(?:flag|argument|option|choice|function"
    r"|class|method|script|field|section|paragraph|row|comment|test|page"
    r"|slide|yaml|json|plot|figure|graph|endpoint|overview|summary|parser|helper|docstring|chart|column"
    r"|entry|enum|dataclass|unit) "
    r"| (?:add|put|write|insert) (?:\S+ ){0,6}(?:to|in|into) (?:the |our |my )*"
    r"(?:doc|documentation|readme|wiki|report|paper|slide|backlog|changelog) "
)
_RUNS_OTHER = Rule(
    r" (?:run|rerun|retry|restart|repeat|redo) (?:(?:the|our|my|all|a|fail|flaky|whole) )*"
    r"(?:unit test|integration test|test suite|pytest|ci|notebook|linter|server|web app) "
)
_HALTING = Rule(
    r" (?:cancel|stop|abort|kill|pause|halt|end|terminate) (?:(?:the|my|all|this|that|these|running|our"
    r"|current|any) )+(?:\S+ )?(?:sweep|search|job|grid|loop|run|train|ablate|experiment|tune) "
)
_TRAINS = Rule(r" (train|retrain|finetune|pretrain|epoch|rerun|fit|refit|resubmit|relaunch) ")
_PAST_VERB = (
    r"tried|ran|tested|used|did|compared|swept|trained|finished|launched|done|explored|started|chose|picked"
    r"|evaluated|had|got"
    r"|submitted|experimented|finetuned|measured|benchmarked|went|saw|found|bumped|upgraded|pinned|settled"
    r"|reached|ablated"
)
_PAST = Rule(
    rf" (?:(?:i|we|they|he|she|you|team|someone|colleague|already|just|previously|last) (?:have |had |has "
    rf"|already |also |both |just |only |all )*"
    rf"(?:{_PAST_VERB}) "
    rf"|did (?:we|i|you|they|it|the|he|she) |(?:was|were) (?:used|tried|run|tested|trained|already|the|too"
    rf"|fine|good|bad|best|better)"
    rf"|(?:{_PAST_VERB}) already |already (?:have|has|had) |have (?:been|already) |has been )"
)
_TELLS = Rule(
    r" (?:was|were|had|finished|completed|won|yesterday|last (?:week|night|month|time|year)|showed|proved|suggested|revealed|indicated"
    r"|gave"
    r"|converged|diverged|plateaued) "
)
_EARLIER_RUN = Rule(
    r"^ (?:(?:the|our|my|both|all|most|of|two|three|NUM) )*(?:previous|earlier|prior|past) (?:\S+ )?"
    r"(?:run|job|attempt|experiment|train|sweep|trial|one) "
)
_RUN_TOLD = Rule(
    r"^ (?:the|our|that|my) (?:\S+ )?(?:run|job|model|one|version|variant|experiment|config) (?:\S+ ){0,8}?"
    r"(?:beat|beats|won|wins|outperformed|performed|scored|lost|did|came|got|gave|needed|took) "
)
_NOTIFIES = Rule(
    r"^ (?:(?:please|and|,|just|then|also|can|could|will|would|you|so|then) )*(?:tell|ping|notify|alert|let|email|slack|text|message|warn|wake|inform|call|remind) "
    r"(?:me|us|everyone|the team) (?:know |up )?(?:when|once|if|as soon as|whenever) "
)
"""A wish to be told, and not that anything be done."""
_NEGATABLE = Rule(
    r" (?:(?:a|an|the|any|on|in|to|using|use|another|more|need|be|about) )*(?:spot|sweep|search|grid|ablate"
    r"|tune|compare|loop|amt|serverless"
    r"|iterate|heterogeneous|hyperparametertuner|automatic|try|run|train|several|NUM|VAL|METHOD|managed"
    r"|deploy|endpoint|inference|retry|hyperparameter"
    r"|combination|try|experiment|repeat|rerun|second|laptop|colab|notebook|processing|INST|PKG|upgrade|bump) "
)
_GOES_ON = Rule(r" (?:stop|quit|halt|give up|let up|rest) ")
""" "Don't stop ..." asks to go on."""
_NO_NOUN = Rule(
    r" (?:more |need |extra |other |further )*(?:sweep|search|grid|ablate|spot|tune|compare|loop|iterate"
    r"|serverless|amt|hyperparameter|combination|repeat"
    r"|experiment|retry|endpoint|deploy|deployment|inference|managed) "
)
_COMMAS = frozenset({",", "\u2014", "\u2013", "(", ")"})
_JOINTS = word_set("and then so after before")
_SUBJECTS = word_set("i we you")
_LEADING = word_set("please and then now so , also")
_STARTERS = word_set("but however now because since although though while whereas otherwise except")
_AFTER_COMMA = word_set("please now then just i we you it which can could would let so simply only maybe one")

_QUESTION = Rule(
    r"^ (?:hi |hey |hello |so |and |but |ok |okay |, |quick question |question |: |also |well |just "
    r"|curious |wondering |i wonder |i am |wonder |out of curiosity |PARAM (?=:))*"
    r"(?:what|why|which|how|who|when(?=.* \? $)|where|is|are|does|do(?=.* \? $)|did|should|has|have|was"
    r"|were|will|can i|could i|may i|isn't|aren't|doesn't|what's) "
)
_POLITE = Rule(
    r" (?:can|could|would|will) (?:you|we) |would you mind |how about |what about |what if (?:we|you|i) "
    r"|why not |mind (?:try|run|train|check) |shall we "
    r"|let me know |please |i'd like |i would like |i want "
)
_OPINION = Rule(
    r" (?:typical|recommend|usual|theory|theoretically|opinion|advice|advise|suggest|difference between"
    r"|good default"
    r"|intuition|should i|should we|literature|conceptually|how (?:do|can|would|should) (?:i|you)|billed|bill"
    r"|does the container|do i need|supported) "
)
_GENERAL = Rule(
    r" (?:common|commonly|general|generally|mean|think|people|default|popular|standard|paper|bigger than"
    r"|smaller|smaller than"
    r"|larger than|inside|internally|support) "
)
_TRAINS_OR_TRIES = Rule(r" (?:train|run|try|sweep|retrain|rerun) ")
_YES_OR_NO = Rule(r" (?:is|are|does|do|should|has|have|was|were|will) ")
_DEIXIS = Rule(r" (?:here|this|our|my|same|these|setup|us) ")
_HERE = Rule(
    r" (?:here|this|our|my|same|us|these|worksbest|largest|biggest|fastest|faster|fit|best|better|setup) "
)


def read(text: str) -> list[Sentence]:
    """Reads a request into sentences; never raises."""
    return [_sentence(items) for items in _split(items_of(text))]


def _split(items: Sequence[Item]) -> Iterator[list[Item]]:
    sentence: list[Item] = []
    for item in items:
        sentence.append(item)
        if item.tag == "STOP":
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _sentence(items: list[Item]) -> Sentence:
    said: list[Item] = []
    told: list[Item] = []
    live: list[Item] = []
    other = dead = ""
    for clause in _clauses(items):
        kept = _without_denied(clause)
        said += kept
        word = _about_something_else(Shape(tuple(kept))) or (
            dead if not any(item.text in ASKING for item in kept) else ""
        )
        dead = word
        if word and not (live and _subordinate(kept)):
            other = other or word
            continue
        told += kept
        if not _is_past(kept):
            live += kept
    whole = Shape(tuple(said))
    return Sentence(Shape(tuple(live)), Shape(tuple(told)), whole, _is_question(whole), other)


def _is_past(clause: list[Item]) -> bool:
    """Whether a clause tells what happened, rather than asking for something."""
    shape = Shape(tuple(clause))
    if shape.has(_PAST) or _EARLIER_RUN.match(shape.text) or _RUN_TOLD.match(shape.text):
        return True
    first = next((item.text for item in clause if item.text not in _LEADING), "")
    return first not in ASKING and shape.has(_TELLS)


def _clauses(items: list[Item]) -> Iterator[list[Item]]:
    clause: list[Item] = []
    for n, item in enumerate(items):
        if clause and _begins_clause(items[n - 1], item):
            yield clause
            clause = []
        clause.append(item)
    if clause:
        yield clause


def _begins_clause(before: Item, item: Item) -> bool:
    if before.text in {"\u2014", "--"}:
        return True
    if item.tag:
        return False
    if before.text in _COMMAS and (item.text in _AFTER_COMMA or item.text in ASKING | OTHER_VERBS):
        return True
    if before.text in _JOINTS and item.text in TRY | RUN | _SUBJECTS:
        return True
    return item.text in _STARTERS


def _without_denied(clause: list[Item]) -> list[Item]:
    """The clause without what stands in the scope of a negation ("no need to try several values")."""
    kept: list[Item] = []
    denied = False
    for n, item in enumerate(clause):
        rest = Shape(tuple(clause[n + 1 : n + 8])).text
        if item.text == "NEG" and _GOES_ON.match(rest):
            continue
        if (
            item.text == "NEG"
            or (item.text in {"not", "skip", "omit"} and _NEGATABLE.match(rest))
            or (item.text == "no" and _NO_NOUN.match(rest))
        ):
            denied = True
        elif denied and _ends_scope(item, clause[n + 1] if n + 1 < len(clause) else None):
            denied = False
        if not denied:
            kept.append(item)
    return kept


def _ends_scope(item: Item, after: Item | None) -> bool:
    if item.text in {"just", "only", ":", "\u2014", "\u2013", ")"} or item.tag == "STOP":
        return True
    listed = after is not None and (
        after.tag in {"NUM", "VAL", "METHOD", "PKG", "MODEL", "INST"} or after.text in {"and", "or", "nor"}
    )
    return item.text == "," and not listed


def _subordinate(clause: list[Item]) -> bool:
    """A clause that only adds to the one before ("... , which we will deploy")."""
    return bool(clause) and clause[0].text in {"which", "while", "since", "because", "so"}


def _about_something_else(clause: Shape) -> str:
    """The verb or noun by which a clause is no request for training, or ""."""
    for n, item in enumerate(clause.items):
        if item.tag:
            continue
        if item.text in ASKING:
            break
        if item.text in OTHER_VERBS and not _attributive(clause.items, n):
            return item.text
    if _NOTIFIES.match(clause.text):
        return "notify"
    edits = _EDITS.search(clause.text)
    if edits:
        return "edit"
    if clause.has(_RUNS_OTHER):
        return "run"
    if clause.has(_HALTING) and not any(item.tag == "METRIC" for item in clause.items):
        return "stop"
    trains = clause.has(_TRAINS)
    words = {item.text for item in clause.items}
    if words & _SERVERS and not trains and not words & CHANGE:
        return "serving"
    strong = _STRONG_NOUN.search(clause.text)
    if strong and not trains:
        return strong.group(1)
    weak = _WEAK_NOUN.search(clause.text)
    if weak and not trains:
        first_value = next(
            (n for n, item in enumerate(clause.items) if item.tag in {"NUM", "PARAM", "METRIC"}),
            len(clause.items),
        )
        if clause.index(weak.start() + 1) < first_value:
            return weak.group(1)
    return ""


def _attributive(items: Sequence[Item], n: int) -> bool:
    """A verb form used as a noun or an adjective: "a ranking model", "our generated data"."""
    return n > 0 and items[n - 1].text in {"the", "a", "an", "our", "my", "this", "that", "of", "for", "on"}


def _is_question(sentence: Shape) -> bool:
    """Whether a sentence asks to be told something, and not for a job ("could you see whether ...?" does)."""
    text = sentence.text
    opinion = sentence.has(_OPINION)
    if opinion and not sentence.has(_TRAINS_OR_TRIES):
        return True
    if not _QUESTION.match(text) or sentence.has(_POLITE):
        return False
    if _YES_OR_NO.match(text) and not sentence.has(_DEIXIS):
        return True
    return opinion or sentence.has(_GENERAL) or not sentence.has(_HERE)
