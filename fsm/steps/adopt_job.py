"""Tell whether an existing job with our name was created by this loop.

The name alone does not tell. The tag with the digest of the request does, and its absence does not: the
listing may be late or incomplete, and a job of ours that was taken for a stranger's would be left running.
"""

from __future__ import annotations

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.request.compose import DIGEST_TAG


def digest_tag(ctx: Context, name: str, arn: str) -> str:
    """The digest with which a job was created.

    Raises:
        Unknown: It carries no digest, and did not get one within the grace period.
    """
    while (digest := ctx.gateway.tags(arn).get(DIGEST_TAG)) is None:
        if ctx.clock.now() - ctx.since(f"the tags of {name}") >= ctx.pace.grace:
            raise Unknown(
                "NoDigestTag",
                f"a job called {name} exists without the tag {DIGEST_TAG}: whose it is cannot be told",
                operation="ListTags",
            )
        ctx.clock.pause(ctx.pace.least)
    return digest
