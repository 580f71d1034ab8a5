"""Train the model of ``wpfsm detect`` from the labelled requests, and measure it on sources that it has not seen.

Run: ``.venv/bin/python benchmarks/detect.py`` measures; with ``--write`` it also writes adapters/detect/weights.txt.
Needs scikit-learn (development dependency); the weights are read without it.

Every row of tests/adapters/detect/detect_requests.jsonl has a `source`: who wrote it, or where it comes from. The sources
are dealt into folds; a fold is judged by a model that was trained without any row of its sources. On these judgements
the sharpness and the two thresholds are set, and the figures are printed. The model that is written is then trained on all.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from wpfsm.adapters.detect.detect import decide, detect
from wpfsm.adapters.detect.drafting import draft
from wpfsm.adapters.detect.evidence import gather
from wpfsm.adapters.detect.features import features
from wpfsm.adapters.detect.findings import Pattern
from wpfsm.adapters.detect.model import FACT, Verdict, encode

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "adapters/detect/weights.txt"
ROWS = ROOT / "tests/adapters/detect/detect_requests.jsonl"
DRAFTS = ROOT / "tests/adapters/detect/drafts.jsonl"
SETTINGS = ROOT / "tests/adapters/detect/surroundings.txt"
FOLDS = 5
MIN_ROWS = 3
MOST_FEATURES = 17_000
STRENGTH = 20.0
PATTERNS = [pattern.value for pattern in Pattern if pattern is not Pattern.NONE]


class Data:
    """The labelled rows, their features and a vocabulary of them."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.rows = rows
        self.evidence = [gather(row["text"]) for row in rows]
        self.features = [list(features(each)) for each in self.evidence]
        self.labels = np.array([row["pattern"] for row in rows])
        self.sources = [row["source"] for row in rows]


def surrounded(rows: list[dict[str, str]], share: float = 0.35) -> list[dict[str, str]]:
    """Rows again, within the greetings, tickets and signatures of longer messages, which change no label."""
    before, after = (
        part.strip().split("\n") for part in SETTINGS.read_text(encoding="utf-8").split("[after]\n")
    )
    rng = random.Random(7)
    found = []
    for row in rows:
        if rng.random() < share and len(row["text"]) < 200 and "\n" not in row["text"]:
            lead = rng.choice(before[1:]) if rng.random() < 0.8 else ""
            tail = rng.choice(after) if rng.random() < 0.6 or not lead else ""
            found.append(
                {
                    **row,
                    "text": f"{lead} {row['text']}{'' if row['text'][-1:] in '.?!' else '.'} {tail}".strip(),
                }
            )
    return found


def matrix(features: list[list[str]], vocabulary: dict[str, int]) -> csr_matrix:
    """Each row's features that are known, with the Euclidean length 1."""
    indices: list[int] = []
    pointers, values = [0], []
    for row in features:
        known = [name for name in row if name in vocabulary]
        worth = [FACT if name.startswith("r:") else 1.0 for name in known]
        indices += [vocabulary[name] for name in known]
        values += [each / math.hypot(*worth) for each in worth]
        pointers.append(len(indices))
    return csr_matrix((values, indices, pointers), shape=(len(features), len(vocabulary)))


class Fitted:
    """A candidate's weights and each pattern's, over a vocabulary of frequent features."""

    def __init__(self, features: list[list[str]], labels: np.ndarray) -> None:
        counts = Counter(name for row in features for name in row)
        names = sorted(name for name, count in counts.items() if count >= MIN_ROWS)
        self.vocabulary = {name: n for n, name in enumerate(names)}
        rows = matrix(features, self.vocabulary)
        yes = labels != "none"
        self.candidate = _regression().fit(rows, yes)
        self.patterns = [_regression().fit(rows[yes], labels[yes] == pattern) for pattern in PATTERNS]
        self.weights = np.vstack([self.candidate.coef_, *(each.coef_ for each in self.patterns)])
        self.bias = [
            float(self.candidate.intercept_[0]),
            *(float(each.intercept_[0]) for each in self.patterns),
        ]
        self.counts = np.array([counts[name] for name in names])

    def scores(self, features: list[list[str]]) -> np.ndarray:
        """The score of the candidate and of each pattern, a row each."""
        return matrix(features, self.vocabulary) @ self.weights.T + np.array(self.bias)


def _regression() -> LogisticRegression:
    return LogisticRegression(
        C=STRENGTH, solver="liblinear", dual=True, tol=1e-3, max_iter=2000, random_state=0
    )


def judged(data: Data, extra: Data) -> np.ndarray:
    """The scores of every row, by a model that knows no row of its source."""
    fold: dict[str, int] = {}
    load = [0] * FOLDS
    for source, size in sorted(Counter(data.sources).items(), key=lambda pair: (-pair[1], pair[0])):
        fold[source] = load.index(min(load))
        load[fold[source]] += size
    scores = np.zeros((len(data.rows), len(PATTERNS) + 1))
    for n in range(FOLDS):
        unseen = [i for i, source in enumerate(data.sources) if fold[source] == n]
        seen = [i for i, source in enumerate(data.sources) if fold[source] != n]
        more = [i for i, source in enumerate(extra.sources) if fold[source] != n]
        fitted = Fitted(
            [data.features[i] for i in seen] + [extra.features[i] for i in more],
            np.concatenate([data.labels[seen], extra.labels[more]]),
        )
        scores[unseen] = fitted.scores([data.features[i] for i in unseen])
    return scores


def calibrate(scores: np.ndarray, candidate: np.ndarray) -> float:
    """The sharpness under which the truth is likeliest."""

    def loss(sharpness: float) -> float:
        p = np.clip(1 / (1 + np.exp(-sharpness * scores)), 1e-6, 1 - 1e-6)
        return float(-np.mean(np.where(candidate, np.log(p), np.log(1 - p))))

    return float(min((loss(s), s) for s in np.arange(0.3, 3.01, 0.05))[1])


def measure(data: Data, scores: np.ndarray, sharpness: float, yes: float, no: float) -> None:
    """Print the figures that docs/detect.md has, in all and by source."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for n, row in enumerate(data.rows):
        probability = 1 / (1 + math.exp(-sharpness * scores[n, 0]))
        verdict = Verdict(probability, Pattern(PATTERNS[int(scores[n, 1:].argmax())]), ())
        candidate, pattern, _ = decide(data.evidence[n], verdict, yes, no)
        right = pattern.value in {row["pattern"], *row.get("also", [])}
        kind_of = "short" if row["source"].startswith("short") else "personas"
        for name in ("all", kind_of, row["source"]):
            kind = "candidate" if row["pattern"] != "none" else "other"
            table[name][f"{kind} {candidate}"] += 1
            if kind == "candidate" and candidate:
                table[name]["right" if right else "wrong"] += 1
    print("source, candidates: true null false, others: true null false, pattern right of those told true")
    for name, c in sorted(table.items()):
        print(
            f"{name:24} {c['candidate True']:4} {c['candidate None']:4} {c['candidate False']:4}   "
            f"{c['other True']:4} {c['other None']:4} {c['other False']:4}   {c['right']}/{c['right'] + c['wrong']}"
        )
    for name in ("all", "short", "personas"):
        c = table[name]
        candidates, others = (
            sum(v for k, v in c.items() if k.startswith(kind)) for kind in ("cand", "other")
        )
        print(
            f"{name}: candidates told false {c['candidate False'] / candidates:.1%}, "
            f"told true {c['candidate True'] / candidates:.1%}; "
            f"no candidates told true {c['other True'] / others:.1%}, told false {c['other False'] / others:.1%}; "
            f"pattern right {c['right'] / (c['right'] + c['wrong']):.1%}"
        )


def measure_drafts() -> None:
    """Print how many drafts have the strategy, the settings and the budget that their request asks for."""
    right: Counter[str] = Counter()
    rows = [json.loads(line) for line in DRAFTS.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        detection = detect(row["text"])
        drafted = (
            YAML(typ="safe", pure=True).load(draft(detection, "x"))
            if detection.candidate is not False
            else {}
        )
        right[row["source"]] += drafted.get("strategy") == row["strategy"]
    sizes = Counter(row["source"] for row in rows)
    print(
        "drafts as asked:", ", ".join(f"{name} {right[name]}/{size}" for name, size in sorted(sizes.items()))
    )


def write(fitted: Fitted, sharpness: float, yes: float, no: float) -> None:
    """Write the features that weigh most, each weight as one signed byte."""
    scales = [float(np.abs(part).max() / 127) for part in (fitted.weights[:1], fitted.weights[1:])]
    steps = np.rint(np.vstack([fitted.weights[:1] / scales[0], fitted.weights[1:] / scales[1]])).astype(int)
    heavy = np.abs(fitted.weights).max(axis=0) * np.sqrt(fitted.counts)
    kept = set(np.argsort(-heavy)[:MOST_FEATURES].tolist())
    head = " | ".join(
        [
            " ".join(PATTERNS),
            " ".join(f"{b:.5g}" for b in fitted.bias),
            " ".join(f"{x:.6g}" for x in [*scales, sharpness, yes, no]),
        ]
    )
    lines = [
        f"{name}\t{encode(steps[:, n].tolist())}"
        for name, n in fitted.vocabulary.items()
        if n in kept and steps[:, n].any()
    ]
    WEIGHTS.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    print(f"{WEIGHTS}: {len(lines)} features, {WEIGHTS.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Measure, and with --write train on everything and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write adapters/detect/weights.txt")
    parser.add_argument("--yes", type=float, default=0.6, help="the probability from which on it says true")
    parser.add_argument("--no", type=float, default=0.3, help="the probability below which a reason declines")
    parser.add_argument("--unmeasured", type=float, help="write with this sharpness, without measuring first")
    given = parser.parse_args()
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    data, extra = Data(rows), Data(surrounded(rows))
    sharpness = given.unmeasured
    if sharpness is None:
        scores = judged(data, extra)
        sharpness = calibrate(scores[:, 0], data.labels != "none")
        print(f"sharpness {sharpness:.2f}")
        measure(data, scores, sharpness, given.yes, given.no)
    if given.write:
        write(
            Fitted(data.features + extra.features, np.concatenate([data.labels, extra.labels])),
            sharpness,
            given.yes,
            given.no,
        )
    measure_drafts()


if __name__ == "__main__":
    main()
