"""The configuration objects: what they are given, and no more."""

from types import SimpleNamespace


class SourceCode(SimpleNamespace):
    pass


class Compute(SimpleNamespace):
    pass


class Networking(SimpleNamespace):
    pass


class StoppingCondition(SimpleNamespace):
    pass


class OutputDataConfig(SimpleNamespace):
    pass


class InputData(SimpleNamespace):
    pass


class MetricDefinition(SimpleNamespace):
    pass
