"""The network, a request that the service finds invalid, and ``unknown``, which is last and has no pattern."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "network",
        Family.OTHER,
        "The job or the service could not reach an endpoint.",
        "Check the route, the VPC endpoints and the proxy; with network isolation nothing outside is reachable.",
        "you",
        (
            LogPattern(
                r"InsufficientFreeAddressesInSubnet|(?:not|n't) have enough free addresses",
                0.97,
                fix="Free addresses in the subnet, or name another one in pool.vpc.",
            ),
            LogPattern(
                r"route to (?:an )?S3|VPC endpoint|NAT (?:device|gateway)|allow outbound traffic", 0.96
            ),
            LogPattern(r"^error: Failed to fetch: |error sending request for url \(", 0.91),
            LogPattern(
                r"connection broken by[^\n]*\n(?:[^\n]*\n){0,12}?[^\w\n]*ERROR: (?:Could not find a version|No matching)",
                0.965,
            ),
            LogPattern(
                r"Could not connect to the endpoint URL|EndpointConnectionError|couldn't connect to ['\"]?https?|Max retries exceeded with url",
                0.92,
            ),
            LogPattern(
                r"name resolution|Name or service not known|getaddrinfo failed|Could not resolve host|NewConnectionError",
                0.91,
            ),
            LogPattern(
                r"(?:Connect|Read)Timeout\w*|Read timed out|Connection (?:refused|aborted)|No route to host|Network is unreachable|ProxyError|Failed to connect to \S+ port|Connection timed out",
                0.87,
            ),
            LogPattern(
                r"outgoing traffic has been disabled|offline mode is enabled|OfflineModeIsEnabled", 0.92
            ),
            LogPattern(
                r"SSLError|CERTIFICATE_VERIFY_FAILED|\b50[234] (?:Server Error|Bad Gateway|Service Unavailable|Gateway)",
                0.86,
            ),
            LogPattern(r"^(?:[\w.]+\.)?ConnectionError\b", 0.82, "exception"),
            LogPattern(r"Connection reset by peer|(?:Artifact|model) upload failed", 0.62),
        ),
    ),
    FailureClass(
        "request_invalid",
        Family.OTHER,
        "The service refuses the request as written. No job exists.",
        "Correct the field that the message names.",
        "you",
        (
            LogPattern(
                r"validation errors? detected|failed to satisfy constraint|Param(?:eter )?Validation ?(?:Error|failed)|Invalid \w*Request",
                0.92,
            ),
            LogPattern(
                r"^(?:Validation\w*|InvalidParameter\w*|InvalidRequest\w*|SerializationException|ResourceInUse\w*|ResourceNotFound\w*|\w*NotFound\w*|ConflictException|MissingParameter\w*)\b",
                0.63,
                "api",
            ),
        ),
        no_job=True,
    ),
    FailureClass(
        "unknown",
        Family.OTHER,
        "Nothing in the evidence says why.",
        "Read the log; there is no guess here.",
        "you",
    ),
)
