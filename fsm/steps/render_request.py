"""The base request of a source and the settings that go into it: rendered once, then read from the store."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import Trial
from wpfsm.fsm.request.compose import digest

REQUIREMENTS = "requirements.txt"
LIKE = "like"
"""In the place of a source's digest: the request of another source, of the same entry and requirements."""

_RENDERED = frozenset({"image", "install", "requirements", "request", "inputs", "output"})
"""Keys of ``job`` that a base request holds; the others are put into each job's own members."""


def base_key(file: LoopFile, source_digest: str, entry: str) -> str:
    """Cache key of a base request: ``source:entry:settings``.

    A free field may change between two jobs of one source, and then another base request is rendered.
    """
    settings = file.job.model_dump(mode="json", include=set(_RENDERED))
    return f"{source_digest}:{entry}:{digest(settings)[:8]}"


def base_request(ctx: Context, trial: Trial) -> Request:
    """The request that every job of this source and entry is made from.

    Patched sources differ in what is uploaded, not in the request: only the first one needs the SDK.

    Raises:
        MissingExtra: The SageMaker SDK is not installed.
        Refused: The source cannot be rendered.
        ServiceError: The upload failed.
    """
    entry = trial.entry or ctx.file.job.entry or ""
    key = base_key(ctx.file, trial.source_digest, entry)
    if known := ctx.store.rendered(key):
        return known
    requirements = _requirements(ctx, trial)
    like_key = base_key(ctx.file, LIKE, f"{entry}:{requirements}")
    like = ctx.store.rendered(like_key)
    if not ctx.file.job.request:
        how = (
            "the source is uploaded"
            if like
            else "the SageMaker SDK renders the request and uploads the source"
        )
        ctx.progress.waiting(f"{how}{_how_much(ctx, trial)}", None)
    spec = RenderSpec(
        # Of the whole key: two entries of one source are two uploads, and must not overwrite each other's driver.
        name=f"{ctx.loop.group}-{digest({'key': key})[:8]}",
        region=ctx.loop.region,
        account=ctx.loop.account,
        bucket=_bucket(ctx),
        source_path=ctx.sources.path(trial.source_digest) if trial.source_digest else "",
        loop_file=ctx.loop.loop_file,
        entry=entry,
        requirements=requirements,
        keep_packages=bool(requirements) and ctx.file.keeps_packages,
        like=like,
    )
    request = ctx.gateway.steady("renderer.render", lambda: ctx.ports.renderer.render(spec))
    with ctx.ports.failpoints.around("commit rendered"):
        ctx.store.save_rendered(key, request)
        if like is None:
            ctx.store.save_rendered(like_key, request)
    return request


def render_ahead(ctx: Context) -> None:
    """Let the SDK render, where it is, every kind of request that a later trial may need.

    One for each entry that the strategy names, with requirements and, because a patch may add the first one, for
    a source that has none yet. What remains for a later trial is to upload its source.

    Raises: as :func:`base_request`.
    """
    given = ctx.file.job
    if given.request:
        return
    for proposal in ctx.strategy.preview():
        source, entry = proposal.source or given.source or "", proposal.entry or given.entry or ""
        digest = ctx.sources.snapshot(proposal.source) if proposal.source else ctx.loop.source_digest
        trial = Trial(ctx.loop.id, 0, {}, "", source=source, entry=entry, source_digest=digest)
        _render_kind(ctx, trial)
        if digest and not _requirements(ctx, trial):
            added = ctx.sources.derive(digest, {REQUIREMENTS: ""})
            _render_kind(ctx, replace(trial, source_digest=added))


def _render_kind(ctx: Context, trial: Trial) -> None:
    """Render a request of the trial's entry and requirements, unless there is one to be like."""
    kind = f"{trial.entry}:{_requirements(ctx, trial)}"
    if not ctx.store.rendered(base_key(ctx.file, LIKE, kind)):
        base_request(ctx, trial)


def _how_much(ctx: Context, trial: Trial) -> str:
    if not trial.source_digest:
        return ""
    files, size = ctx.sources.size(trial.source_digest)
    return f" ({files} file{'s' if files != 1 else ''}, {size / 1e6:.1f} MB)"


def _requirements(ctx: Context, trial: Trial) -> str:
    """The loop file's requirements file, else the one that the source has by its usual name."""
    if ctx.file.job.requirements or not trial.source_digest:
        return ctx.file.job.requirements or ""
    return REQUIREMENTS if REQUIREMENTS in ctx.sources.files(trial.source_digest) else ""


def _bucket(ctx: Context) -> str:
    """The bucket of ``job.output``, else the one that the SageMaker SDK uses by default."""
    output = ctx.file.job.output
    if output:
        return output.removeprefix("s3://").partition("/")[0]
    return f"sagemaker-{ctx.loop.region}-{ctx.loop.account}"
