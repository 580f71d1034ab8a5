"""The skill's evaluations: their form, whether its description would be chosen, and an agent that follows ``next``.

A model is needed to run the evaluations themselves; what can be judged without one is judged here.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, NO_ROOM, OK, Bench, wait_for
from ruamel.yaml import YAML

from wpfsm.adapters.emulator.launch import ensure, stop

SKILL = Path(__file__).parents[2] / "skills" / "sagemaker-warm-pool-researcher"

NEIGHBOURS: dict[str, str] = json.loads((SKILL / "evals" / "neighbours.json").read_text(encoding="utf-8"))
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
        assert all((SKILL / name).is_file() for name in entry["files"])
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


Document = Any
Choice = Callable[[Document], list[str]]


def first(document: Document) -> list[str]:
    """The likeliest step."""
    step: list[str] = document["next"][0]["argv"]
    return step


def giving_up(document: Document) -> list[str]:
    """It cannot mend anything, so at a hand-off it takes the step for who gives up."""
    step: list[str] = document["next"][1 if document["handoff"] else 0]["argv"]
    return step


def follow(
    bench: Bench, file: Path, choose: Choice = first, most: int = 12
) -> tuple[list[list[str]], Document]:
    """Start a loop file and do what ``next`` says until there is nothing but the report to see, or to start again.

    Args:
        bench: Where.
        file: The loop file.
        choose: Which of the steps is taken, and what a step asks to be added to it.
        most: Commands that an agent may need.
    """
    endpoint = json.loads((bench.folder / "emulator" / "endpoint.json").read_text())["url"]
    database = bench.folder / "given.db"
    words = ["wpfsm", "start", str(file), "--detach", "--db", str(database), "--endpoint-url", endpoint]
    done: list[list[str]] = []
    while len(done) < most:
        done.append(words)
        ran = bench.run(*words[1:], "-o", "json", timeout=300, WPFSM_DB=str(bench.folder / "wrong.db"))
        document = ran.json
        step = choose(document)
        assert step[-4:] == words[-4:], "the options are carried on"
        if step[1] in ("report", "start", "diff"):
            assert not (bench.folder / "wrong.db").exists()
            return done, document
        words = step
    raise AssertionError(f"not done after {most} commands: {done}")


def verbs(done: Sequence[Sequence[str]]) -> list[str]:
    """What an agent ran."""
    return [words[1] for words in done]


def test_a_scripted_agent_follows_next_to_the_receipt(bench: Bench) -> None:
    """A sweep: start, wait, report; nothing else is needed."""
    done, document = follow(bench, bench.loop("sweep", OK))
    assert verbs(done) == ["start", "wait"]
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True


def test_a_scripted_agent_gives_up_at_a_hand_off(bench: Bench) -> None:
    """Who cannot mend it follows the second step: the pool is released, the receipt is there."""
    done, document = follow(bench, bench.loop("broken", BROKEN), giving_up)
    assert "--abandon" in done[-1]
    assert document["pool"]["released"] is True


def test_a_scripted_agent_is_told_to_start_again_where_nothing_began(bench: Bench) -> None:
    """A refused preflight: the next step is the same start, once the quota is there."""
    done, document = follow(bench, bench.loop("noroom", OK, instance_type=NO_ROOM))
    assert document["loop"]["outcome"] == "refused"
    assert document["next"][0]["argv"][:3] == ["wpfsm", "start", str(bench.folder / "noroom.yaml")]
    assert len(done) <= 2


def test_a_scripted_agent_takes_up_a_loop_whose_controller_died(bench: Bench) -> None:
    """The controller is killed while its job runs: the next step is to resume, and that goes on to the receipt."""
    gate = bench.folder / "gate"
    os.mkfifo(gate)
    file = bench.loop(
        "killed", f"print('eval_loss=1.0'); open({str(gate)!r}).read()", more="strategy: {type: fix}"
    )

    killed: list[int] = []

    def kill(document: Document) -> list[str]:
        if not killed:
            killed.append(1)
            look = [*document["next"][0]["argv"][-4:], "-o", "json"]
            given = Bench(bench.folder, bench.url)
            given.database = bench.folder / "given.db"
            given.wait_running(document["loop"]["id"])
            running = bench.run("inspect", document["loop"]["id"], *look).json
            os.kill(running["controller"]["pid"], signal.SIGKILL)
            wait_for(lambda: None if _lives(running["controller"]["pid"]) else True)
            gate.write_text("go on")
        return first(document)

    done, document = follow(bench, file, kill)
    assert document["loop"]["state"] == "Closed"
    assert document["loop"]["outcome"] == "goal_met"
    assert verbs(done)[0] == "start"
    assert verbs(done)[-1] == "resume"


def _lives(pid: int) -> bool:
    """Whether a process is there that is more than an entry of the table."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_scripted_agent_proposes_until_nothing_is_better(bench: Bench) -> None:
    """An open loop: it adds its values to the step that asks for them, and takes the last step when it is content."""
    file = bench.loop("open", OK, more="strategy: {type: ask, hold: 10m}")
    file.write_text(
        file.read_text().replace("max_runtime: 5m", "max_runtime: 5m, hyperparameters: {lr: 0.1}")
    )
    rates = iter(["0.02", "0.01"])

    def propose(document: Document) -> list[str]:
        if not document["handoff"] or document["handoff"]["kind"] != "ask":
            return first(document)
        step = first(document)
        assert "--set" in document["next"][0]["why"]
        rate = next(rates, None)
        if rate is None:
            done: list[str] = document["next"][1]["argv"]
            return done
        return [*step[:3], "--set", f"lr={rate}", "--note", "nearer to the middle", *step[3:]]

    done, document = follow(bench, file, propose)
    assert verbs(done) == ["start", "wait", "next", "next", "next"]
    assert document["loop"]["state"] == "Closed"
    assert document["pool"]["released"] is True
    assert document["best"]["params"] == {"lr": 0.01}
    assert [job["start"] for job in document["jobs"]] == ["cold", "warm", "warm"]


@pytest.mark.sdk
def test_a_scripted_agent_mends_the_script_and_goes_on(bench: Bench) -> None:
    """A hand-off: it edits the file that the hand-off names, and the first step goes on with the same pool."""
    source = bench.folder / "src"
    source.mkdir()
    (source / "train.py").write_text("print('eval_loss=' + str(1 / missing))\n")
    file = bench.folder / "mended.yaml"
    file.write_text(
        "version: 1\nname: mended\npool: {instance_type: ml.m5.large, keep_alive: 10m}\n"
        "job: {source: src, entry: train.py, max_runtime: 5m}\n"
        "metric: {name: eval_loss, regex: 'eval_loss=([-+0-9.eE]+)'}\nstrategy: {type: fix}\n"
    )

    def mend(document: Document) -> list[str]:
        if handoff := document["handoff"]:
            name, line = handoff["location"].rsplit("/", 1)[-1].split(":")
            script = Path(handoff["source"]["path"]) / name
            assert "missing" in script.read_text().splitlines()[int(line) - 1]
            script.write_text(script.read_text().replace("missing", "4"))
        return first(document)

    done, document = follow(bench, file, mend)
    assert verbs(done) == ["start", "wait", "resume"]
    assert document["loop"]["outcome"] == "goal_met"
    assert document["pool"]["released"] is True
    assert [job["start"] for job in document["jobs"]] == ["cold", "warm"]
