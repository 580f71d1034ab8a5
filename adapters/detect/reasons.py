"""Why a request may be no candidate: reasons that stand in its text, each with the words that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wpfsm.adapters.detect.clauses import dead_spans
from wpfsm.adapters.detect.items import items_of
from wpfsm.adapters.detect.text import Request


@dataclass(frozen=True)
class Reason:
    """A reason against a warm pool.

    Attributes:
        kind: its name.
        quote: the words of the request that say so.
        hard: no warm pool can serve it, however many jobs are asked for.
    """

    kind: str
    quote: str
    hard: bool = False


SAID = {
    "spot": "managed spot training cannot use a warm pool",
    "serverless": "serverless customization has no instances of its own, so there is nothing to keep warm",
    "heterogeneous": "a heterogeneous cluster, or more than one instance type, cannot share one warm pool",
    "pool": "the instance count and type are part of what a warm pool must match, so jobs that vary them cannot share one",
    "amt": "SageMaker automatic model tuning keeps its own instances warm between its jobs",
    "elsewhere": "it does not run as SageMaker training jobs",
    "declined": "it declines a warm pool",
    "single": "it is a single training job",
    "question": "it asks a question and requests no training",
    "other": "it asks for something else than training jobs",
    "past": "it tells of jobs that have run already and requests no new ones",
    "empty": "there is no request",
}

_HARD = {
    "spot": r"\bspot[ -]?(?:instances?|training|capacity|jobs?|pric\w+|fleet|market|mode|vms?|machines?|nodes?|gpus?|discount)\b|\b(?:on|use|using|with|via|managed|take|cheap) (?:\w+ )?spot\b|\bspot only\b|^\W*spot\b"
    r"|instancias spot|instances spot|instâncias spot|spot-instanzen",
    "serverless": r"\bserverless\b",
    "amt": r"\bhyperparameter ?tuner\b|\bamt\b|\bautomatic (?:model )?tuning\b|\bcreatehyperparametertuningjob\b|\b(?:hyperparameter|sagemaker|automatic|model|hpo) tuning (?:job|service|api)s?\b|\b(?:the |sagemaker(?:'s)? )tuner\b",
    "heterogeneous": r"\bhetero(?:geneous|genous)\b|\binstance[ _]?groups?\b|\bmixed instances?\b|\b(?:each|its|their) own instance type|\binstance type (?:each|per)\b|\bcpu group\b",
    "elsewhere": r"\b(?:on|in|inside|with|via|at|to|using) (?:my |a |an |the |our |your |his |google |own |local |this |jupyter |azure |gaming |institute'?s? |internal )*"
    r"(?:laptop|colab|macbook|mac|workstation|notebook|hyperpod|kubernetes|k8s|eks|slurm|vertex(?: ai)?|databricks|desktop|kaggle|desk|ec2|on-?prem\w*|dgx|lambda labs|gaming pc|pc|home server|azure ?ml|azure|gcp|runpod|modal|ray cluster|dev kit|university cluster|lab cluster|hpc)\b"
    r"|\b(?:slurm|sbatch|tmux|ssh|ec2|katib|kubeflow|hyperpod|vertex ai|airflow dag|on-prem\w*)\b|\blocally\b|\bmeinem (?:\w*rechner|laptop|pc)\b|institutscluster|\b(?:mi port[aá]til|mon poste|meu notebook|mon ordinateur|minha máquina|mi ordenador)\b|手元|\u30ce\u30fc\u30c8pc|本地|笔记本",
    "declined": r"\b(?:without|no|not use|don't (?:want|use|keep|need)|not want|do not want|against|avoid|skip|decline\w*|sans|ohne|sin|sem|opt(?:ed)? out of|instead of|not be) (?:a |an |the |any |any more |using |un |une |einen |keeping (?:a |the )?|of |um |uma )*(?:(?:managed )?warm[ -]?pools?|warm instances?|keep[- ]?alive|pool caliente|pool chaud|instances? (?:gardées?|warm)|hot pool)\b"
    r"|no instance may be kept|\bkeep[_ -]?alive (?:of |to |= ?)?0\b|\bcold (?:jobs?|starts?) only\b|\bonly cold\b|warm pool nonsense|ウォームプールは?使わ|warm pool\s+without|不要用\s*(?:热池|warm pool)|no warm pool|independent cold|\bno (?:keep|kept)[- ](?:alive|warm)|(?:não|no|ne|nicht) \w{0,10} ?(?:mantenha|mantener|garder|warm ?halten)",
}
_SOFT = {
    "single": r"\b(?:only |just |exactly |ein )?(?:once|one (?:single )?(?:run|job|training|time|model)|a single (?:run|job|training|model|time)|one[- ]off|single (?:run|job|training)|no (?:sweep|search|grid|loop|ablation|hpo|tuning)|not more|plain run|in the same run|within the run|in one (?:run|job)|(?:one|1) (?:sft )?run|same (?:settings|configuration) as (?:always|usual|last|yesterday))\b"
    r"|\btrains?\b[^.;\n]{0,60}\bonce\b|\bun seul\b|\bune seule\b|\bun solo\b|\buna sola\b|\bsó um\b|\bein einziges\b|\beinmal\b|\bgenügt\b|\bsuffit\b|\bbasta\b|一次|一回|一度",
    "past": r"\b(?:already|yesterday|last (?:week|month|night|year|time)|(?:is|are|was|were|have|has|all) (?:done|finished|completed|archived|gone|over|history)|we (?:tried|ran|compared|tested|swept|used|fixed|settled|decided)|i (?:tried|ran|did|made|compared|tested|fixed|have)|decided (?:on|for|against)|no action needed|nothing to do|for your information|fyi)\b",
    "question": r"\?\s*$|\?\s*\n|^\W*(?:what|why|how|which|who|where|when|is|are|does|do|did|can|could|should|would|will|has|have|was|wie|warum|welche|was|quel|quelle|qué|cuál|qual|por que)\b[^.\n]*\?|\b(?:explain|what does|what is|what are|difference between|wonder|curious|question)\b|ですか|何ですか|是什么|吗",
    "other": r"\b(?:write|draft|document|deploy|redeploy|serve|host|plot|visuali[sz]e|summari[sz]e|translate|archive|upload|download|delete|cancel|stop the|stop all|list|show me|explain|describe|refactor|review|convert|evaluate|generate|annotate|label|register|approve|publish|export|copy|rename|schedule|rotate|release|remind|email|tell me|notify|let me know|ping me|attach|close|open a|benchmark the endpoint|batch[- ]?transform|quantize|prune|count|prepare|implement|reformat|validate|sort|convert|roll ?back|rollout|ship|thanks|thank you|set up|create|unit test|add (?:a|an|the|retries)|process(?:ing)?|collect|forward)\b"
    r"|\binference\b|\bendpoint\b|\bin production\b|\bserving\b|\bdashboard\b|\bmodel card\b|\breadme\b|\bgithub actions\b|\bcriar|\bcrie\b|\bpublica\b|\bavísame\b|\bpréviens\b|\bme avisa\b|\bbescheid\b|作成|書いて|通知|连絡|连系|連絡|画成|部署|上线",
}
_HARD_RULES = {kind: re.compile(rule, re.IGNORECASE | re.MULTILINE) for kind, rule in _HARD.items()}
_SOFT_RULES = {kind: re.compile(rule, re.IGNORECASE | re.MULTILINE) for kind, rule in _SOFT.items()}
_DENIAL = re.compile(
    r"\b(?:not?|don't|do not|never|instead of|rather than|no longer|isn't|without|kein\w*|nicht)\s+(?:\w+ ){0,3}$",
    re.IGNORECASE,
)


def reasons_of(request: Request, *, pool_varies: bool = False) -> list[Reason]:
    """Every reason that stands in what is asked, the hard ones first."""
    if not re.search(r"\w", f"{request.asked}{''.join(request.blocks)}"):
        return [Reason("empty", "", hard=True)]
    found = list(_hard(request.asked)) + [
        each for each in _hard(request.english) if request.english != request.asked
    ]
    types = list(
        dict.fromkeys(
            item.text
            for item in items_of(request.asked)
            if item.tag == "I" and _alive(request.asked, item.start)
        )
    )
    if len(types) > 1 and not re.search(r"\bnot\b|instead|busy|if (?:it|there)", request.asked):
        found.append(Reason("heterogeneous", " and ".join(types[:3]), hard=True))
    if pool_varies:
        found.append(Reason("pool", "", hard=True))
    for kind, rule in _SOFT_RULES.items():
        match = rule.search(request.asked) or rule.search(request.english)
        if match is not None:
            found.append(Reason(kind, " ".join(match.group().split())[-80:]))
    return list({reason.kind: reason for reason in reversed(found)}.values())[::-1]


def _hard(text: str) -> Iterator[Reason]:
    for kind, rule in _HARD_RULES.items():
        for match in rule.finditer(text):
            denied = kind != "declined" and (
                not _alive(text, match.start())
                or _DENIAL.search(text[max(0, match.start() - 30) : match.start()]) is not None
            )
            if (
                kind == "spot"
                and re.search(r"\bon[- ]demand\b", text, re.IGNORECASE)
                and not re.search(r"out of on[- ]demand", text, re.IGNORECASE)
            ):
                continue
            if not denied:
                yield Reason(kind, " ".join(match.group().split()), hard=True)
                break


def _alive(text: str, at: int) -> bool:
    return not any(start <= at < end for start, end in dead_spans(text))
