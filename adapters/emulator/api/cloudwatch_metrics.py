"""The metrics of training jobs, published to CloudWatch, which the fallback answers.

They are kept in the emulator's own table and given to the fallback, which holds them in memory, when somebody asks
CloudWatch: a restart loses nothing, and nobody who does not ask pays for them.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.emulator.engine.records import Place
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.wsgi_transport import account_session

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SERVICE = "monitoring"
"""CloudWatch in a request's signature."""

NAMESPACE, DIMENSION = "/aws/sagemaker/TrainingJobs", "TrainingJobName"
BATCH = 500
"""Values in one PutMetricData, which takes a thousand."""


class PublishedMetrics:
    """What the fallback's CloudWatch has been told.

    Args:
        store: Holds the values of every job.
        cloudwatch: Answers requests for CloudWatch.
    """

    def __init__(self, store: Store, cloudwatch: WSGIApplication) -> None:
        self._store = store
        self._cloudwatch = cloudwatch
        self._lock = threading.Lock()
        self._told: dict[Place, int] = {}
        self._clients: dict[Place, Any] = {}

    def publish(self, place: Place) -> None:
        """Tell CloudWatch what is new in an account and region."""
        with self._lock:
            while True:
                with self._store.lock:
                    new = self._store.points(place, self._told.get(place, 0), BATCH)
                if not new:
                    return
                data = [
                    {
                        "MetricName": metric.name,
                        "Dimensions": [{"Name": DIMENSION, "Value": job}],
                        "Timestamp": dt.datetime.fromtimestamp(metric.time, dt.UTC),
                        "Value": metric.value,
                        "Unit": "None",
                    }
                    for _, job, metric in new
                ]
                self._client(place).put_metric_data(Namespace=NAMESPACE, MetricData=data)
                self._told[place] = new[-1][0]

    def _client(self, place: Place) -> Any:
        if place not in self._clients:
            self._clients[place] = account_session(self._cloudwatch, *place).client("cloudwatch")
        return self._clients[place]
