"""The skill's evaluations: their form, whether its description would be chosen, and an agent that follows ``next``.

A model is needed to run the evaluations themselves; what can be judged without one is judged here.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, NO_ROOM, OK, SLOW, Bench
from ruamel.yaml import YAML

from wpfsm.adapters.emulator.launch import ensure, stop

SKILL = Path(__file__).parents[2] / "skills" / "sagemaker-warm-pool-researcher"

NEIGHBOURS = {
    "training": "Creates and monitors a SageMaker training job: chooses an image and instance, writes the estimator, fine-tunes "
    "a foundation model with a recipe, deploys the model to an endpoint. Use it to train or fine-tune one model on SageMaker, "
    "to write a training script or to deploy.",
    "tuning": "Launches SageMaker automatic model tuning: hyperparameter tuning jobs with parallel trials, Bayesian or "
    "Hyperband strategies, objective metrics and warm start from earlier tuning jobs.",
    "ec2": "Configures EC2 Auto Scaling warm pools: pre-initialised stopped or hibernated instances, lifecycle hooks, "
    "launch templates and scaling policies for faster scale-out.",
    "lambda": "Reduces AWS Lambda cold starts: provisioned concurrency, SnapStart, warming schedules, package size and "
    "runtime choice for functions.",
    "python": "Writes and reviews Python and PyTorch code: training loops, mixed precision, data loaders, refactoring, tests.",
    "data": "Works with files, CSV, SQL and databases: sorts, joins, cleans, connects to servers and pools connections.",
    "compute": "Runs workloads on one's own server, on spot capacity or in containers, and schedules long jobs cheaply.",
}
"""What stands beside this skill in an agent's list, in the words of such skills."""


def description() -> str:
    """The skill's own."""
    front = (SKILL / "SKILL.md").read_text(encoding="utf-8").split("---\n", 2)[1]
    return str(YAML(typ="safe").load(front)["description"]).partition("Not for")[0]


def words(text: str) -> list[str]:
    """Words without their endings."""
    return [
        re.sub(r"(ing|ed|es|s)$", "", word)
        for word in re.findall(r"[a-z0-9_]+", text.lower())
        if len(word) > 2
    ]


def chosen(query: str) -> str:
    """The skill whose description shares the rarest words with the query (BM25)."""
    skills = {"ours": words(description()), **{name: words(text) for name, text in NEIGHBOURS.items()}}
    mean = sum(map(len, skills.values())) / len(skills)
    seen = Counter(word for text in skills.values() for word in set(text))

    def score(text: Sequence[str]) -> float:
        counts = Counter(text)
        total = 0.0
        for word in set(words(query)):
            rare = math.log(1 + (len(skills) - seen[word] + 0.5) / (seen[word] + 0.5))
            total += rare * counts[word] * 2.2 / (counts[word] + 1.2 * (0.25 + 0.75 * len(text) / mean))
        return total

    return max(skills, key=lambda name: score(skills[name]))


def queries() -> list[dict[str, Any]]:
    """The evaluation's queries."""
    found: list[dict[str, Any]] = json.loads(
        (SKILL / "evals" / "eval_queries.json").read_text(encoding="utf-8")
    )
    return found


def test_the_files_have_the_common_form() -> None:
    """Ids, prompts, expectations; queries for both answers, none twice."""
    evals = json.loads((SKILL / "evals" / "evals.json").read_text(encoding="utf-8"))
    assert evals["skill_name"] == SKILL.name
    assert [entry["id"] for entry in evals["evals"]] == list(range(1, len(evals["evals"]) + 1))
    for entry in evals["evals"]:
        assert set(entry) == {"id", "prompt", "expected_output", "files", "expectations"}
        assert entry["expectations"]
    assert {type(entry["should_trigger"]) for entry in queries()} == {bool}
    assert len({entry["query"] for entry in queries()}) == len(queries())
    assert sum(entry["should_trigger"] for entry in queries()) * 2 == len(queries())


def test_the_description_is_nearer_to_its_requests_than_its_neighbours_are() -> None:
    """By words alone, 9 of 10 queries go where they belong; a model reads better than that."""
    wrong = [
        entry["query"] for entry in queries() if (chosen(entry["query"]) == "ours") != entry["should_trigger"]
    ]
    assert len(wrong) <= len(queries()) // 10, wrong


# --- an agent that follows `next` -----------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder, a database, and an emulator that nothing in the environment names: only what is printed leads there."""
    state = tmp_path / "emulator"
    options = ["--cold-start", "0.2", "--warm-start", "0", "--stop-grace", "0.5", "--quota", f"{NO_ROOM}=0"]
    ensure(state, options=options)
    made = Bench(tmp_path)
    made.database = tmp_path / "other" / "elsewhere.db"
    yield made
    made.end()
    stop(state)


def follow(bench: Bench, file: Path, most: int = 12) -> tuple[list[list[str]], Any]:
    """Start a loop file and do what ``next`` says, word for word, until there is nothing but the report to see.

    Args:
        bench: Where.
        file: The loop file.
        most: Commands that an agent may need.
    """
    endpoint = json.loads((bench.folder / "emulator" / "endpoint.json").read_text())["url"]
    database = bench.folder / "given.db"
    words = ["wpfsm", "start", str(file), "--detach", "--db", str(database), "--endpoint-url", endpoint]
    done: list[list[str]] = []
    while len(done) < most:
        done.append(words)
        ran = bench.run(*words[1:], "-o", "json", WPFSM_DB=str(bench.folder / "wrong.db"))
        document = ran.json
        step = document["next"][0]["argv"]
        assert step[-4:] == words[-4:], "the options are carried on"
        if document["handoff"]:
            # It cannot mend anything, so it takes the step for who gives up.
            step = document["next"][1]["argv"]
        if step[1] in ("report", "start"):
            assert not (bench.folder / "wrong.db").exists()
            return done, document
        words = step
    raise AssertionError(f"not done after {most} commands: {done}")


def test_a_scripted_agent_follows_next_to_the_receipt(bench: Bench) -> None:
    """A sweep: start, wait, report; nothing else is needed."""
    done, document = follow(bench, bench.loop("sweep", OK))
    assert [words[1] for words in done] == ["start", "wait"]
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True


def test_a_scripted_agent_gives_up_at_a_hand_off(bench: Bench) -> None:
    """Who cannot mend it follows the second step: the pool is released, the receipt is there."""
    done, document = follow(bench, bench.loop("broken", BROKEN))
    assert "--abandon" in done[-1]
    assert document["pool"]["released"] is True


def test_a_scripted_agent_is_told_to_start_again_where_nothing_began(bench: Bench) -> None:
    """A refused preflight: the next step is the same start, once the quota is there."""
    done, document = follow(bench, bench.loop("noroom", OK, instance_type=NO_ROOM))
    assert document["loop"]["outcome"] == "refused"
    assert document["next"][0]["argv"][:3] == ["wpfsm", "start", str(bench.folder / "noroom.yaml")]
    assert len(done) <= 2


def test_a_scripted_agent_takes_up_a_loop_whose_controller_died(bench: Bench) -> None:
    """A wait that times out says wait again; a dead controller says resume."""
    file = bench.loop("slow", SLOW, more="strategy: {type: single}")
    file.write_text(
        file.read_text().replace("max_runtime: 5m", "max_runtime: 5m, hyperparameters: {seconds: 2}")
    )
    done, document = follow(bench, file)
    assert document["loop"]["state"] == "Closed"
    assert {words[1] for words in done} <= {"start", "wait", "resume"}
