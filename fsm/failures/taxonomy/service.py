"""What the service refuses or breaks: quota, capacity, infrastructure, throttling."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "own_pool_holds_quota",
        Family.QUOTA,
        "The account's limit is used up, and an idle warm pool of this loop is what uses it.",
        "Release the idle pool and submit again.",
        "wpfsm",
        (LogPattern(r"^own_pool_holds_quota$", 0.98, "fact"),),
    ),
    FailureClass(
        "quota",
        Family.QUOTA,
        "The account may not run (so many of) this instance type here. No job exists.",
        "Ask for a higher service quota, or release what holds it (wpfsm pools).",
        "you",
        (
            LogPattern(
                r"^(?:ResourceLimitExceeded|LimitExceeded\w*|ServiceQuotaExceeded\w*|\w*QuotaExceeded\w*)\b",
                0.96,
                "api",
            ),
            LogPattern(
                r"account-level service limit|ResourceLimitExceeded|service quota[^\n]{0,80}(?:exceed|insufficient|is 0)",
                0.95,
            ),
            LogPattern(
                r"limit ['\"](?P<quota>[^'\"]+)['\"] is (?P<limit>\d+) Instances(?:, with current utilization of (?P<used>\d+) Instances and a request delta of (?P<delta>\d+))?",
                0.95,
            ),
        ),
        no_job=True,
    ),
    FailureClass(
        "capacity",
        Family.CAPACITY,
        "The region has no free instance of this type at the moment.",
        "Try again later; another instance type or zone is another pool.",
        "aws",
        (
            LogPattern(
                r"\bCapacityError\b|Insufficient ?(?:Instance|Host|EC2)? ?Capacity|insufficient capacity",
                0.97,
                prose=True,
            ),
            LogPattern(
                r"(?:Unable|Failed) to (?:provision|launch|acquire)[^\n]{0,60}(?:capacity|instances?)",
                0.95,
                prose=True,
            ),
            LogPattern(
                r"\b(?:not enough|no|lack of) (?:\w+ )?capacity\b|capacity is (?:not|un)\s?available",
                0.9,
                prose=True,
            ),
        ),
    ),
    FailureClass(
        "infra",
        Family.INFRA,
        "The service or the machine failed, not the job. Such a failure leaves no pool to rely on.",
        "Submit the same configuration again.",
        "aws",
        (
            LogPattern(
                r"\bInternal ?Server ?Error\b|We encountered an internal error|Platform Error",
                0.97,
                "reason",
                prose=True,
            ),
            LogPattern(
                r"^(?:InternalFailure|InternalServer\w*|InternalService\w*|ServiceUnavailable\w*|ServiceException|50[0234])\b",
                0.95,
                "call",
            ),
            LogPattern(r"We encountered an internal error|Platform Error:", 0.9),
            LogPattern(
                r"(?P<hardware>uncorrectable (?:ECC|NVLink)|\bECC error|NVRM: Xid|fallen off the bus|Unable to determine the device handle|GPU is lost|CUDA_ERROR_ECC_UNCORRECTABLE|NVLink[^\n]{0,40}error)",
                0.95,
                fix="Release the pool, then submit again on another host: this instance's hardware is faulty ({hardware}).",
            ),
            LogPattern(
                r"(?:hardware|instance|node|host|device) (?:failure|fault|health check)|(?:un|not )healthy (?:node|instance|host)|Repairing training cluster",
                0.9,
                prose=True,
            ),
            LogPattern(
                r"Failed to initialize NVML|Driver/library version mismatch|CUDNN_STATUS_INTERNAL_ERROR|unspecified launch failure|CUDA(?: error:)? unknown error",
                0.8,
            ),
            LogPattern(
                r"(?:host|node|instance|algo-\d+)\b[^\n]{0,60}(?:unreachable|became unavailable|was terminated|lost connection)",
                0.85,
                prose=True,
            ),
            LogPattern(
                r"socket\w*Connect\b[^\n]{0,120}(?:fail|refused|timed out|abort|unreachable)|no socket interface found",
                0.885,
                fix="Try again; if it comes back, set NCCL_SOCKET_IFNAME to the interface that the instances share (eth0): a connection between ranks failed.",
            ),
            LogPattern(r"unhandled system error|ncclSystemError", 0.88),
            LogPattern(
                r"nccl(?:Remote|Internal)Error|remote process exited or there was a network error", 0.72
            ),
            LogPattern(
                r"libfabric[^\n]{0,80}(?:error|fail)|(?:NET/OFI|NET/IB)[^\n]{0,120}(?:error|fail)", 0.72
            ),
        ),
    ),
    FailureClass(
        "throttling",
        Family.THROTTLING,
        "Too many calls in a short time.",
        "Wait and try again.",
        "wpfsm",
        (
            LogPattern(
                r"^(?:Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|RequestThrottled\w*|SlowDown|429|ProvisionedThroughput\w*)\b",
                0.97,
                "call",
            ),
            LogPattern(r"\bThrottlingException\b|reduce your request rate|TooManyRequestsException", 0.95),
            LogPattern(
                r"\b429\b[^\n]{0,40}(?:Too Many Requests|rate limit)|(?:Too Many Requests|rate limit)[^\n]{0,40}\b429\b",
                0.9,
            ),
            LogPattern(
                r"Rate exceeded|too many requests|rate limit(?:ed| exceeded| reached)", 0.9, prose=True
            ),
        ),
    ),
)
