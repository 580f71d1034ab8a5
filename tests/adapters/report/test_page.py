"""The page: self-contained, small, in both themes, and proof against what a log may print."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

from report_loops import LOOP_FILE, Made
from report_page import EVIL, SWEEP, Page, facts_of

from wpfsm.adapters.report import render
from wpfsm.fsm.records import JobPatch, Outcome


def test_nothing_on_the_page_refers_to_the_network(tmp_path: Path):
    """No element loads anything, no style imports anything, and the policy allows no connection."""
    html = render(facts_of(tmp_path, SWEEP))
    page = Page(html)
    loading = {"src", "href", "srcset", "data", "action", "poster", "background"}
    references = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in loading
    ]
    assert [value for value in references if not str(value).startswith("#")] == []
    assert not re.search(
        r"https?:|//[a-z]|@import|url\(", html.partition("<style>")[2].partition("</style>")[0]
    )
    outside = html.replace(next(text for a, text in page.scripts if a.get("id") == "plotly"), "")
    assert "http://" not in outside
    assert "https://" not in outside
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy


def test_the_policy_names_exactly_the_two_scripts_of_the_page(tmp_path: Path):
    """Each script that is to run is allowed by its hash, and nothing else is."""
    page = Page(render(facts_of(tmp_path, SWEEP)))
    own = next(text for attributes, text in page.scripts if not attributes)
    packed = next(text for attributes, text in page.scripts if attributes.get("id") == "plotly")
    plotly = gzip.decompress(base64.b64decode(packed))
    hashes = [base64.b64encode(hashlib.sha256(code).digest()).decode() for code in (own.encode(), plotly)]
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert f"script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}';" in str(policy)


def test_the_page_is_small_enough_to_send(tmp_path: Path):
    """Plotly is packed: the page of a small loop stays under 2.5 MB."""
    assert len(render(facts_of(tmp_path, SWEEP)).encode()) < 2_500_000


def test_what_a_log_prints_stays_text(tmp_path: Path):
    """Markup in evidence, labels, reasons, names and diffs is shown and never becomes an element."""
    diff = f"--- a/{EVIL}\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n"
    failed = Made(
        {EVIL: EVIL}, failed=EVIL, evidence=[EVIL], label=EVIL,
        patch=JobPatch("edit", EVIL, "k", why=EVIL, diff=diff, hyperparameters={EVIL: EVIL}),
    )  # fmt: skip
    facts = facts_of(
        tmp_path, [failed, Made({EVIL: 2}, metric=1.0, label=EVIL), Made({EVIL: 3}, metric=2.0)], why=EVIL
    )
    html = render(facts)
    page = Page(html)
    assert [tag for tag, _ in page.tags if tag in ("img", "iframe", "object")] == []
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 3
    assert "onerror" not in {name for _, attributes in page.tags for name in attributes}
    assert "taken over" in page.text
    charts = next(text for attributes, text in page.scripts if attributes.get("id") == "figures")
    assert "<" not in charts
    shown = json.dumps(json.loads(charts), ensure_ascii=False)
    assert "<img" not in shown, "Plotly would read it as markup"
    assert "<script" not in shown


def test_secrets_of_a_log_are_not_on_the_page(tmp_path: Path):
    """Evidence, reasons, parameters, the loop file and its webhooks are redacted."""
    key = "AKIAIOSFODNN7EXAMPLE"
    loop_file = {
        **LOOP_FILE,
        "notify": {"urls": ["https://hooks.example.org/T0/secret-part"], "on": ["closed"]},
    }
    failed = Made(
        {"hf_token": "hunter22"}, failed="script_error", evidence=[f"key {key}"],
        patch=JobPatch("edit", f"with {key}", "k", diff=f"+{key}\n", hyperparameters={"hf_token": "hunter22"}),
    )  # fmt: skip
    html = render(
        facts_of(tmp_path, [failed], loop_file=loop_file, why=f"because {key}", outcome=Outcome.FAILED)
    )
    outside = re.sub(r'<script type="application/octet-stream".*?</script>', "", html, flags=re.DOTALL)
    assert key not in outside
    assert "hunter22" not in outside
    assert "secret-part" not in outside
    assert "https://hooks.example.org/…" in outside
