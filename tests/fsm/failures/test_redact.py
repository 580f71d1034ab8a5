"""Secrets do not get into evidence, logs or packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.failures.redact import MASK, is_secret_name, redact, redact_lines, redact_stream, redact_values

SECRETS = {
    "aws key id": ("key AKIA" + "ABCDEFGHIJKLMNOP", "AKIA" + "ABCDEFGHIJKLMNOP"),
    "aws secret": ("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    "exported": ("export WANDB_API_KEY='0123456789abcdef0123'", "0123456789abcdef"),
    "json": ('{"HF_TOKEN": "abcdefabcdef", "epochs": 3}', "abcdefabcdef"),
    "hugging face": ("logged in with hf_" + "A1b2C3d4E5f6G7h8I9j0K1", "A1b2C3d4"),
    "github": ("https://ghp_" + "a" * 36 + "@github.com/x/y", "ghp_aaaa"),
    "url": ("DB_URL=postgres://u:hunter2@h/db", "hunter2"),
    "redis": ("redis://:hunter2@cache:6379/0", "hunter2"),
    "bearer": ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    "option": ("python train.py --db-password hunter2 --lr 1", "hunter2"),
    "presigned": ("GET https://b.s3.amazonaws.com/k?X-Amz-Signature=deadbeef&X-Amz-Date=1", "deadbeef"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "c2lnbmF0"),
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    "model provider": ("sk-ant-" + "abc123" * 5, "abc123abc123"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=list(SECRETS))
def test_a_secret_is_masked(text, secret):
    """Whatever its form, the value goes and a mark stays."""
    assert secret not in redact(text)
    assert MASK in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=512 num_tokens: 1024 pad_token='<pad>' eos_token='</s>'",
        "KeyError: 'labels'",
        "tokenizer=bert-base-uncased tokenizers==0.15.0",
        "No module named 'tokenizers'",
        'File "/opt/ml/code/train.py", line 3, in <module>',
        "keys: ['input_ids', 'attention_mask']",
        "token: None",
    ],
)
def test_what_a_diagnosis_needs_is_kept(text):
    """Words that merely look like secrets stay: they are the evidence."""
    assert redact(text) == text


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([s for s, _ in SECRETS.values()]), max_size=4).map("\n".join)
)
def test_redacting_twice_changes_nothing_more(text):
    """The mask is never taken for a secret."""
    assert redact(redact(text)) == redact(text)


def test_lines_are_redacted_together():
    """A private key spans lines; none of them is left."""
    lines = redact_lines(["before", *SECRETS["pem"][0].splitlines(), "after"])

    assert lines == ("before", MASK, "after")


def test_an_environment_is_masked_by_name_and_by_shape():
    """A name may be innocent and its value not."""
    values = redact_values({"HF_TOKEN": "x", "URL": "postgres://u:hunter2@h/db", "EPOCHS": "3"})

    assert values == {"HF_TOKEN": MASK, "URL": f"postgres://u:{MASK}@h/db", "EPOCHS": "3"}
    assert is_secret_name("db_password")
    assert not is_secret_name("max_tokens")


def test_long_lines_do_not_take_long():
    """A pathological line is redacted in linear time."""
    assert redact("a_" * 50_000) == "a_" * 50_000


def test_a_key_in_a_growing_log_is_masked_line_by_line() -> None:
    """As many lines as came in, and none of the key; what stands behind the key is shown."""
    key = [
        "before",
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEow",
        "abc",
        "-----END RSA PRIVATE KEY----- after",
        "x",
    ]
    shown = list(redact_stream(key))
    assert len(shown) == len(key)
    assert not any(part in line for line in shown for part in ("MIIEow", "abc"))
    assert (shown[0], shown[-1]) == ("before", "x")
    assert shown[-2].endswith(" after")


def test_a_key_that_never_ends_does_not_hide_the_log_for_ever() -> None:
    """A job that prints the first line of a key and then trains is still read."""
    shown = list(redact_stream(["-----BEGIN PRIVATE KEY-----", *(f"step {n}" for n in range(500))]))
    assert shown[-1] == "step 499"
