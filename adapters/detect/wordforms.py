"""The forms of words: verbs and plurals to their base, and phrases that stand for one word.

The past tense is not reduced: it tells what happened, and asks for nothing.
"""

from __future__ import annotations

from wpfsm.adapters.detect.vocabulary import word_set


def singular(word: str) -> str:
    """The singular of a plain English plural ("batches" to "batch"); other words unchanged."""
    if len(word) < 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1]


_VERBS = word_set(
    """
    accept ablate add adjust aim benchmark bisect bring build bump change check compare continue crank
    cut cycle debug decrease disable double downgrade drop enable evaluate experiment explore finetune
    fit fix get give go grid halve hit improve increase install isolate iterate keep kick knock launch
    leave let loop lower measure move need omit optimize optimise patch pin pit push quantify raise
    reach rebuild redo reduce refit reinstall relaunch remove repair repeat replace rerun resolve
    restart resubmit resume retrain retry roll run scan search see select set shrink skip solve sort
    stop strip study submit swap sweep switch take test toggle train try tune turn tweak uninstall unpin
    update upgrade use vary verify walk want investigate tighten loosen relax alternate assess determine
    examine probe start find quit work import pass complete succeed converge load fail accelerate crash
    break explain describe summarise summarize plot draw visualise visualize write document translate
    deploy redeploy host serve invoke delete kill list show print display upload download copy rename
    refactor review read estimate calculate compute convert merge label annotate filter split shuffle
    preprocess clean scale alert notify monitor poll tag register open tell email generate predict infer
    define discuss recommend mention cite quote commit cancel archive export schedule back fetch count
    rank concatenate migrate teach remind ping reply answer highlight format lint cross implement
    tokenize tokenise compress encode parse crawl render buy order quantize quantise prune accumulate
    revert vary lack
    """
)
_DOUBLING = word_set(
    """
    run pin unpin drop get hit set cut put stop swap skip plot submit omit strip fit split let quit
    begin rerun tag commit rerun refit grid
    """
)  # fmt: skip


def _forms(verb: str) -> list[str]:
    """The forms that stand for a verb in a request: base, -s, -ing (not the past, which tells)."""
    third = verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    if verb.endswith("y") and verb[-2] not in "aeiou":
        third = verb[:-1] + "ies"
    stem = (
        verb + verb[-1]
        if verb in _DOUBLING
        else verb[:-1]
        if verb.endswith("e") and not verb.endswith("ee")
        else verb
    )
    return [third, stem + "ing"]


LEMMAS = {form: verb for verb in _VERBS for form in _forms(verb)}
LEMMAS |= {
    "fiddle": "tweak", "fiddling": "tweak", "comparison": "compare", "ablation": "ablate", "ablations": "ablate", "ablating": "ablate",
    "till": "until", "til": "until", "'til": "until", "versus": "vs", "finetune": "finetune", "cannot": "can't", "retuning": "tune",
    "&": "and", "whether": "if", "falls": "fall", "fallen": "fall", "comparing": "compare", "dies": "fail", "died": "fail", "failed": "fail",
    "crashed": "crash", "broke": "break", "broken": "break", "reached": "reach", "higher": "higher", "sweeps": "sweep", "gridsearch": "grid",
    "hyperparams": "hyperparameter", "hyperparam": "hyperparameter", "hyperparameters": "hyperparameter", "hparams": "hyperparameter",
    "hparam": "hyperparameter", "hps": "hyperparameter", "libs": "library", "pkgs": "package", "deps": "dependency",
    "dep": "dependency", "dependencies": "dependency", "reqs": "requirements", "w": "with", "wo": "without", "v": "vs", "combos": "combination",
    "combo": "combination", "combinations": "combination", "pairings": "combination", "pairing": "combination", "permutations": "combination",
    "pair": "combination", "pairs": "combination", "pls": "please", "plz": "please", "thru": "through", "minimise": "minimize", "maximise": "maximize",
}  # fmt: skip

PHRASES = {
    "rerun": "re run", "retrain": "re train", "resubmit": "re submit", "relaunch": "re launch", "finetune": "fine tune",
    "retry": "re try", "reinstall": "re install", "pretrain": "pre train", "install": "pip install",
    "until": (
        "do not stop until | don't stop until | don't stop before | do not stop before | don't stop till | don't give up until"
        " | don't quit until | not stop until | never stop until | don't stop training until | do not stop training until"
        " | don't stop unless | not until | won't stop until | dont stop until"
    ),
    "try": "don't just try | not just try | try out | why not try | why don't we try | why don't you try | give a try | give a go",
    "NEG": (
        "don't | do not | dont | never | avoid | no need to | no need for | not necessary to | instead of | rather than | no longer"
        " | needn't | without needing to | without having to | without running | without sweeping | without trying | shouldn't"
        " | should not | need not | not going to | no reason to | hold off on | refrain from | not asking for | not asking to | not want"
        " | rule out | never mind | nevermind | forget about | forget | nor | neither | stop using | stop trying | quit trying | stop sweeping | stop tuning | stop running | quit using | without using | ignore | mustn't | must not"
    ),
    "repeatedly": "as long as it takes | as long as needed | as long as necessary | however long it takes",
    "only": "not only | not just",
    "<=": (
        "at or below | at or under | less than or equal to | lower than or equal to | smaller than or equal to | at most"
        " | no more than | no higher than | no greater than"
    ),
    ">=": "at or above | at or over | greater than or equal to | more than or equal to | at least | no less than | no lower than",
    "unpin": "remove the pin | drop the pin | lift the pin | remove the version pin | loosen the pin | relax the pin",
    "vs": "compared to | compared with | as opposed to | in contrast to | contrasted with | relative to | head to head with",
    "then": "followed by | and then | after that | afterwards | afterward | later on",
    "and": "as well as | along with | together with | and also | plus | in addition to",
    "hyperparameter": "hyper parameter | hyper param",
    "milestones": "at epoch | at step | every epoch | after epoch | at iteration",
    "combination": "cross product | cartesian product",
    "batchtransform": "batch transform", "batchinference": "batch inference | batch scoring | batch predictions | batch prediction",
    "several": "a few | a couple of | a couple | a bunch of | a handful of | a range of | a set of | a number of | some more | a series of"
               " | a variety of | multiple | various | different | a spread of | a list of | another few | some",
    "modulenotfounderror": "module not found error | module not found",
    "importerror": "import error | importerrors | import errors | import failure",
    "gradually": "step by step | bit by bit | little by little",
    "run": (
        "execute | executing | conduct | conducting | carry out | carrying out | fire off | spin up | queue up"
    ),
    "turnoff": "turn off | switch off | turning off | switching off | turned off | switched off",
    "turnon": "turn on | switch on | turning on | switching on",
    "worksbest": "works best | work best | is best | works better | work better | performs best | performs better | trains best"
                 " | wins | is the best | come out on top | comes out on top | does best | do best | gives the best | gets the best",
}  # fmt: skip
