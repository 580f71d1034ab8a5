"""An image that cannot be pulled, and what a role or a credential may not do."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "image",
        Family.PERMISSIONS,
        "The training image cannot be pulled: it does not exist, or the role may not read its repository.",
        "Check job.image and the repository's policy.",
        "you",
        (
            LogPattern(
                r"Cannot ?Pull|(?:pull|access) (?:access )?denied for (?:repository|registry|image)|ImagePull\w*",
                0.96,
            ),
            LogPattern(
                r"manifest (?:unknown|for \S+ not found)|no basic auth credentials|repository (?:name )?[^\n]{0,120}does not exist",
                0.93,
            ),
            LogPattern(
                r"\b(?:image|repository)\b[^\n]{0,160}(?:does not exist|not found|could not be (?:found|pulled)|not (?:be )?accessible)",
                0.82,
                "reason",
            ),
        ),
    ),
    FailureClass(
        "permissions",
        Family.PERMISSIONS,
        "The role or the credentials do not allow it.",
        "Give the role {action}, or renew the credentials.",
        "you",
        (
            LogPattern(
                r"^(?:Access ?Denied\w*|Unauthorized\w*|NotAuthorized\w*|UnrecognizedClient\w*|InvalidClientTokenId|InvalidAccessKeyId|(?:Expired|Invalid)Token\w*|RequestExpired|SignatureDoesNotMatch|AuthFailure|Forbidden|40[13]|OptInRequired|KMS\w*|MissingAuthenticationToken\w*)\b",
                0.95,
                "call",
            ),
            LogPattern(
                r"(?:is )?not authorized to perform:? ?(?P<action>[\w-]+:\w+)?|explicit deny|identity-based policy",
                0.95,
            ),
            LogPattern(
                r"(?:assume|assuming) (?:the )?role|pass ?role|role[^\n]{0,60}(?:cannot|could not|invalid)[^\n]{0,20}(?:be )?assumed",
                0.94,
                prose=True,
            ),
            LogPattern(
                r"security token[^\n]{0,40}(?:invalid|expired)|Unable to locate credentials|NoCredentials\w*|credentials (?:were|are) (?:not|in)",
                0.93,
            ),
            LogPattern(r"\bAccess ?Denied\b|not subscribed to", 0.91),
            LogPattern(
                r"permission to access|(?:does|do) not have (?:\w+ )?(?:permissions?|access)|insufficient permissions?",
                0.91,
                prose=True,
            ),
            LogPattern(
                r"\b40[13] (?:Client Error|Forbidden|Unauthorized)\b[^\n]{0,200}(?:huggingface\.co|hf\.co)|GatedRepo|gated repo|private or gated|Invalid (?:username or password|user token)|Invalid credentials in Authorization header",
                0.935,
                fix="Accept the licence on the model's page, and give the job a token of that hub (HF_TOKEN in job.environment).",
            ),
            LogPattern(
                r"\b(?:401|403)\b[^\n]{0,40}(?:Forbidden|Unauthorized|Client Error)|Forbidden[^\n]{0,20}\b403\b",
                0.92,
                fix="The server at the other end refused: give the job its token, accept its terms, or use another address.",
            ),
            LogPattern(
                r"(?:invalid|missing|no|incorrect)[^\n]{0,20}(?:api[_ ]key|user token|access token)|api_key not configured",
                0.88,
                fix="Give the job the key of the service that asks for it, in job.environment.",
            ),
            LogPattern(
                r"\bKMS\b[^\n]{0,100}(?:denied|not (?:exist|allowed|authorized|accessible)|disabled)", 0.92
            ),
            LogPattern(r"^(?:\w+\.)*PermissionError\b(?!: \[Errno \d)", 0.72, "exception"),
            LogPattern(r"Please ensure[^\n]{0,120}(?:role|permissions)", 0.66, "reason"),
        ),
        otherwise="Read whose permission the message misses: the role of the job, or the credentials of the caller.",
    ),
)
