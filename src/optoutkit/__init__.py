"""Honour the opt-outs of Amazon's buyers.

Four parts, each useful alone: a classifier (:func:`classify`), a parser of Amazon's notices (:func:`parse_notice`), stores for opt-outs
(:func:`open_store`) and a guard round whatever sends mail (:class:`Guard`). Beside them a linter for Amazon's communication guidelines
(:func:`check_guidelines`).

Importing this package loads none of them: each name is fetched from its module when it is first used (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optoutkit.authentication import Authentication, Trust, authenticate
    from optoutkit.classifier import Classification, Classifier, Evidence, Topic, classify
    from optoutkit.errors import Held, MessageTooLarge, OptOutKitError, StoreUnavailable
    from optoutkit.guard import Action, AsyncGuard, Decision, Guard, Policy, Verdict
    from optoutkit.guidelines import Violation, check_guidelines
    from optoutkit.identities import Address, Identity, OrderId
    from optoutkit.intake import AsyncIntake, Intake, IntakeResult
    from optoutkit.marketplaces import Marketplace
    from optoutkit.messages import Message
    from optoutkit.notices import Form, Notice, NoticeKind, NoticeParser, parse_notice
    from optoutkit.optouts import SHARED, OptOut, Reason
    from optoutkit.stores import AsyncOptOutStore, OptOutStore, open_async_store, open_store

__all__ = [
    "SHARED",
    "Action",
    "Address",
    "AsyncGuard",
    "AsyncIntake",
    "AsyncOptOutStore",
    "Authentication",
    "Classification",
    "Classifier",
    "Decision",
    "Evidence",
    "Form",
    "Guard",
    "Held",
    "Identity",
    "Intake",
    "IntakeResult",
    "Marketplace",
    "Message",
    "MessageTooLarge",
    "Notice",
    "NoticeKind",
    "NoticeParser",
    "OptOut",
    "OptOutKitError",
    "OptOutStore",
    "OrderId",
    "Policy",
    "Reason",
    "StoreUnavailable",
    "Topic",
    "Trust",
    "Verdict",
    "Violation",
    "authenticate",
    "check_guidelines",
    "classify",
    "open_async_store",
    "open_store",
    "parse_notice",
]

_MODULES = {
    "authentication": ("Authentication", "Trust", "authenticate"),
    "classifier": ("Classification", "Classifier", "Evidence", "Topic", "classify"),
    "errors": ("Held", "MessageTooLarge", "OptOutKitError", "StoreUnavailable"),
    "guard": ("Action", "AsyncGuard", "Decision", "Guard", "Policy", "Verdict"),
    "guidelines": ("Violation", "check_guidelines"),
    "identities": ("Address", "Identity", "OrderId"),
    "intake": ("AsyncIntake", "Intake", "IntakeResult"),
    "marketplaces": ("Marketplace",),
    "messages": ("Message",),
    "notices": ("Form", "Notice", "NoticeKind", "NoticeParser", "parse_notice"),
    "optouts": ("SHARED", "OptOut", "Reason"),
    "stores": ("AsyncOptOutStore", "OptOutStore", "open_async_store", "open_store"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - slow to import, seldom asked for

        return version(__name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
