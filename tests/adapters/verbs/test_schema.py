"""``schema``: what it publishes takes what the program takes and prints, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from cli_bench import Bench
from ruamel.yaml import YAML

from wpfsm.adapters.documents.loop_file_schema import loop_file_schema
from wpfsm.adapters.verbs.schema import output_schema

CHECK = jsonschema.Draft202012Validator(output_schema())


def test_the_schema_refuses_what_it_does_not_know(finished: Bench):
    """The published schema is closed: a member that nobody documented is an error."""
    document = finished.document("sweep")
    document["jobs"][0]["surprise"] = 1
    assert not CHECK.is_valid(document)


ROOT = Path(__file__).resolve().parents[3]


def test_the_schema_takes_what_the_program_takes(alone: Bench):
    """The published schema is a valid one, accepts the examples, and refuses an unknown key."""
    schema = json.loads(alone.run("schema").out)
    assert schema == loop_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    examples = sorted((ROOT / "examples").glob("*/*.yaml"))
    assert examples
    for example in examples:
        document = YAML(typ="safe").load(example.read_text())
        assert [error.message for error in check.iter_errors(document)] == [], example
        assert not check.is_valid({**document, "surprise": 1})
