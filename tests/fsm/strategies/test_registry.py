"""The union that the loop file holds, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError
from strategy_play import completed, config, play, strategy

from wpfsm.fsm import strategies
from wpfsm.fsm.strategies import Point, StrategyConfig


@pytest.mark.parametrize("section", [{}, {"type": "sweeep"}, {"type": "single", "method": "grid"}])
def test_an_unknown_type_or_key_is_refused(section):
    """The type picks the section, and no section takes a key of another."""
    with pytest.raises(ValidationError):
        config(section)


def test_a_configuration_is_frozen():
    """What a loop was started with does not change under it."""
    with pytest.raises(ValidationError, match="frozen"):
        config({"type": "single"}).smoke = True


def test_a_configuration_survives_json():
    """The frozen loop file in the database is the loop file."""
    adapter = TypeAdapter(StrategyConfig)
    given = config(
        {
            "type": "until",
            "target": "loss < 1",
            "propose": {
                "method": "random",
                "count": 3,
                "parameters": {
                    "lr": {"min": 1e-5, "max": 1, "scale": "log"},
                    "o": ["a", None, True, 1.5, "1.10"],
                },
            },
        }
    )

    assert adapter.validate_json(adapter.dump_json(given)) == given


def test_the_schema_names_every_strategy():
    """Editors get one schema a type, told apart by `type`."""
    schema = TypeAdapter(StrategyConfig).json_schema()

    assert set(schema["discriminator"]["mapping"]) == {
        "sweep",
        "until",
        "fix",
        "recipes",
        "ablate",
        "single",
        "ask",
    }


def test_single_runs_one_job_as_given():
    """One trial, no overrides."""
    assert play(strategy({"type": "single"}, None), completed(None))[0] == [Point({}, "job")]


def test_reading_rows_loads_neither_pydantic_nor_optuna():
    """The rows' types stay light, so that a verb that only reads starts fast."""
    code = (
        "import sys; from wpfsm.fsm.strategies import TrialRow, best; import wpfsm.fsm.strategies.metrics;"
        "print(*{'pydantic', 'optuna', 'numpy'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == []


def test_building_a_sweep_does_not_load_optuna():
    """Only a Bayesian search pays for Optuna, and only when it proposes."""
    code = (
        "import sys; from wpfsm.fsm.strategies import Goal, StrategyConfig, build; from pydantic import TypeAdapter;"
        "c = TypeAdapter(StrategyConfig).validate_python({'type': 'sweep', 'method': 'bayes', 'count': 2,"
        " 'parameters': {'a': [1, 2]}}); s = build(c, Goal('m', 'minimize'), {}); s.summary([]);"
        "print('optuna' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.split() == ["False"]


def test_an_unknown_name_is_an_attribute_error():
    """The lazy module still answers as a module does."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = strategies.no_such_name
