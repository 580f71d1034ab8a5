"""What clients do to training jobs: create, stop, delete. What becomes of the jobs is in ``lifecycle.py``."""

from __future__ import annotations

from wpfsm.adapters.emulator.engine.errors import ServiceError, not_found
from wpfsm.adapters.emulator.engine.lifecycle import Lifecycle
from wpfsm.adapters.emulator.engine.pools import Pools
from wpfsm.adapters.emulator.engine.quotas import Quotas, training_limit
from wpfsm.adapters.emulator.engine.records import Fate, Job, Place, PoolStatus, Request, Status
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.engine.workspace import Workspace


class Jobs:
    """Training jobs as clients see them. Called under the store's lock."""

    def __init__(
        self, store: Store, quotas: Quotas, pools: Pools, life: Lifecycle, workspace: Workspace
    ) -> None:
        self._store = store
        self._quotas = quotas
        self._pools = pools
        self._life = life
        self._workspace = workspace

    def create(
        self, place: Place, request: Request, fate: Fate, session_tags: tuple[str, ...], at: float
    ) -> Job:
        """Accept a job whose request is valid.

        Raises:
            ServiceError: ResourceInUse for a name that is taken, ResourceLimitExceeded without quota.
        """
        name = str(request["TrainingJobName"])
        arn = training_job_arn(place, name)
        if self._store.job(place, name) is not None:
            raise ServiceError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, and a training job with this"
                f" name already exists ({arn})",
            )
        keep_alive = _keep_alive(request)
        job = Job(
            *place,
            name=name,
            arn=arn,
            request=request,
            created=at,
            modified=at,
            keep_alive=keep_alive or 0,
            shown_keep_alive=keep_alive,
            session_tags=session_tags,
            fate=fate,
        )
        pool = self._pools.find(job)
        if pool is None:
            self._check_training_quota(job)
        self._store.insert_job(job)
        if pool is not None:
            job = self._pools.take(pool, job, at)
        self._life.begin(job, at)
        return job

    def _check_training_quota(self, job: Job) -> None:
        for instance_type, count in job.instances.items():
            allowed = self._quotas.value(job.place, instance_type, "training")
            used = self.instances_in_use(job.place, instance_type)
            if used + count > allowed:
                raise training_limit(instance_type, allowed, used, count)

    def instances_in_use(self, place: Place, instance_type: str) -> int:
        """Return the instances of one type that count against the training quota, idle pools included."""
        jobs = (job for job in self._store.live_jobs() if job.place == place)
        working = sum(job.instances.get(instance_type, 0) for job in jobs)
        return working + self._pools.idle_instances(place, instance_type)

    def get(self, place: Place, name: str) -> Job:
        """Return a job.

        Raises:
            ServiceError: Unknown name.
        """
        found = self._store.job(place, name)
        if found is None:
            raise not_found()
        return found

    def stop(self, job: Job, at: float) -> None:
        """Stop a job; a second stop changes nothing.

        Raises:
            ServiceError: The job has ended.
        """
        if job.status.terminal:
            raise ServiceError(
                "ValidationException",
                f"The request was rejected because the training job is in status {job.status}.",
            )
        if job.status is not Status.STOPPING:
            self._life.stop(job, at)

    def delete(self, job: Job) -> None:
        """Forget a job that has ended and holds no pool.

        Raises:
            ServiceError: It runs, or its pool is Available.
        """
        if not job.status.terminal:
            raise ServiceError("ResourceInUse", f"The training job {job.name} is in status {job.status}.")
        if job.pool_status is PoolStatus.AVAILABLE:
            raise ServiceError(
                "ResourceInUse", f"The training job {job.name} retains an Available warm pool."
            )
        self._store.delete_job(job)
        self._workspace.forget(job)


def training_job_arn(place: Place, name: str) -> str:
    """Return the ARN of a training job."""
    account, region = place
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if "-gov-" in region else "aws"
    return f"arn:{partition}:sagemaker:{region}:{account}:training-job/{name}"


def _keep_alive(request: Request) -> int | None:
    resources = request.get("ResourceConfig")
    value = resources.get("KeepAlivePeriodInSeconds") if isinstance(resources, dict) else None
    return value if isinstance(value, int) else None
