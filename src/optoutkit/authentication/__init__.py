"""How far a mail can be trusted: DKIM, Authentication-Results of named servers, ARC chains of named sealers.

Nothing here decides what a mail says; it decides who sent it, and which of its header fields that holds for.
"""

from optoutkit.authentication.flow import DNS_BUDGET, authenticate, authenticate_async, authentication_flow
from optoutkit.authentication.parties import TrustedParties, trusted_parties
from optoutkit.authentication.questions import (
    AsyncResolver,
    DnsQuery,
    NoAnswerYet,
    Resolver,
    default_async_resolver,
    default_resolver,
)
from optoutkit.authentication.trust import Authentication, Check, CheckKind, CheckResult, Trust

__all__ = [
    "DNS_BUDGET",
    "AsyncResolver",
    "Authentication",
    "Check",
    "CheckKind",
    "CheckResult",
    "DnsQuery",
    "NoAnswerYet",
    "Resolver",
    "Trust",
    "TrustedParties",
    "authenticate",
    "authenticate_async",
    "authentication_flow",
    "default_async_resolver",
    "default_resolver",
    "trusted_parties",
]
