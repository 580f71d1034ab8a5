"""The options of a script, whichever library reads them."""

from __future__ import annotations

from checked_scripts import found


def test_click_and_typer_refuse() -> None:
    """Their options are known by the names that they give themselves."""
    click = "import click\n@click.command()\n@click.option('--lr')\ndef main(lr): ...\nmain()\n"
    (one,) = found(click, requirements="click\n", values={"rate": [1]})
    assert "does not know --rate" in one.text
    typer = "import typer\ndef main(batch_size: int = 1): ...\ntyper.run(main)\n"
    (one,) = found(typer, requirements="typer\n", values={"batch_size": [1]}, ignore=["imports"])
    assert (one.text.split(",")[0], one.fix) == (
        "the script's parser does not know --batch_size",
        "did you mean batch-size?",
    )


def test_dataclass_fields_of_hf_argument_parser() -> None:
    """Each field is an option."""
    script = (
        "from dataclasses import dataclass\nfrom transformers import HfArgumentParser\n@dataclass\nclass A:\n"
        "    lr: float = 1\nHfArgumentParser(A).parse_args_into_dataclasses()\n"
    )
    (one,) = found(script, requirements="transformers\n", values={"learning_rate": [1], "lr": [1]})
    assert "does not know --learning_rate" in one.text
