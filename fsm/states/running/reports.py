"""What the running job reports: the goal's metric and those beside it, read from its log as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wpfsm.fsm.records import JSON, Curve
from wpfsm.fsm.strategies.curve import Thinned
from wpfsm.fsm.strategies.expression import Expression, MetricReport, warnings_of
from wpfsm.fsm.strategies.metrics import last_finite

if TYPE_CHECKING:
    from wpfsm.fsm.context import Context
    from wpfsm.fsm.ports import LogLine
    from wpfsm.fsm.records import Job

SAVE_SECONDS = 30.0
"""From a job's first report, and then from one time to the next, that its curves are kept for whoever looks at it."""


@dataclass
class MetricReports:
    """What the log has reported of one metric so far."""

    expression: Expression
    values: list[float] = field(default_factory=list)
    """Every number, those that are not finite too."""
    last: MetricReport | None = None
    """What was reported last, a number or a part of one."""
    curve: Thinned = field(default_factory=Thinned)
    warned: set[str] = field(default_factory=set)
    """What was said about the expression, each once a job."""

    @property
    def diverged(self) -> bool:
        """Whether the metric that was reported last is not finite."""
        return bool(self.values) and last_finite(self.values) is None

    @property
    def untrusted(self) -> bool:
        """Whether what the expression read is not what the log reports: cut, or read no further."""
        cut = self.last is not None and self.last.whole is not None
        return cut or bool(self.expression.given_up)

    def take_in(self, lines: Sequence[LogLine]) -> list[MetricReport]:
        """Read new lines; returns what the expression found in them."""
        readings = self.expression.read([line.text for line in lines])
        for reading in readings:
            if reading.value is not None:
                self.values.append(reading.value)
                self.curve.add(lines[reading.line - 1].at, reading.value)
            if reading.value is not None or reading.whole is not None:
                self.last = reading
        return readings


def read_metrics(ctx: Context, found: dict[str, MetricReports], lines: Sequence[LogLine]) -> None:
    """Read every metric of the loop file in new lines, show the goal's, and say what is odd, once a job."""
    for name, regex in ctx.file.definitions:
        if (metric := found.get(name)) is None:
            metric = found[name] = MetricReports(Expression(regex))
        readings = metric.take_in(lines)
        fresh = [reading.value for reading in readings if reading.value is not None]
        if fresh and ctx.file.metric and name == ctx.file.metric.name:
            ctx.progress.metric(name, fresh[-1])
        for what, why in warnings_of(metric.expression, readings).items():
            if what not in metric.warned:
                metric.warned.add(what)
                ctx.record(
                    "metric_warned",
                    f"metric {name}: {why}",
                    data={"metric": name, "regex": regex, "what": what},
                )


def with_log_metrics(ctx: Context, job: Job, found: Mapping[str, MetricReports]) -> dict[str, JSON]:
    """FinalMetricDataList, or the log's last value where the service gave none.

    Where the log ends with one that is not finite, that one: the service's list keeps the last that its
    expression could read. Where the log shows that the expression cuts the number, none: what the service gives is
    cut just so. A metric beside the goal that was never reported is left out.
    """
    metrics: dict[str, JSON] = dict(job.metrics)
    for name, _ in ctx.file.definitions:
        is_goal = ctx.file.metric is not None and name == ctx.file.metric.name
        read = found.get(name)
        if read is None or read.last is None:
            if is_goal:
                metrics.setdefault(name, None)
        elif read.last.whole is not None:
            metrics[name] = None
        elif metrics.get(name) is None or read.diverged:
            metrics[name] = None if read.untrusted else last_finite(read.values)
    return metrics


def curves_of(job: Job, found: Mapping[str, MetricReports]) -> tuple[Curve, ...]:
    """The rows that keep what a job has reported."""
    return tuple(
        Curve(job.loop_id, job.number, name, metric.curve.reports, metric.curve.points)
        for name, metric in found.items()
        if metric.curve.reports
    )
