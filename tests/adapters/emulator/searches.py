"""Search, as a client asks it."""

from __future__ import annotations

from typing import Any


def found(sagemaker: Any, *filters: tuple[str, str, str], operator: str = "And", **more: Any) -> list[str]:
    """Return the names of the jobs that a search finds, in its order."""
    conditions = [{"Name": n, "Operator": o} | ({"Value": v} if v else {}) for n, o, v in filters]
    expression = {"SearchExpression": {"Filters": conditions, "Operator": operator}} if conditions else {}
    answer = sagemaker.search(Resource="TrainingJob", **expression, **more)
    return [each["TrainingJob"]["TrainingJobName"] for each in answer["Results"]]
