"""A hook that tells OpenTelemetry what a guard decided: the only module that imports ``opentelemetry``."""

from collections import Counter

from optoutkit.errors import MissingExtra
from optoutkit.guard.hooks import Decided, GuardEvent, LedgerFailed, LinkContradicted

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import Status, StatusCode, TracerProvider, get_tracer
except ImportError:
    raise MissingExtra("The hook for OpenTelemetry", "opentelemetry") from None

__all__ = ["OpenTelemetryHook"]

_SCOPE = "optoutkit.guard"


class OpenTelemetryHook:
    """A hook that makes a span of each message decided on, and counts decisions and failures.

    * Span ``optoutkit.guard check`` or ``optoutkit.guard send``, below the current one, when the decision has been taken: attributes
      ``optoutkit.actions`` and ``optoutkit.reasons`` (a list, one a recipient), ``optoutkit.guidelines``; in an outage also ``error.type``,
      with the status ERROR.
    * Counter ``optoutkit.guard.decisions``, one a recipient: attributes ``optoutkit.action``, ``optoutkit.reason``, ``optoutkit.sending``.
    * Counter ``optoutkit.guard.failures``: attribute ``optoutkit.failure`` (``link_failed``, ``link_contradicted`` or ``ledger_failed``),
      and ``error.type`` where there is an error.

    Nothing names a buyer, an order or a seller, not even by a digest, so that the number of time series stays small.

    Args:
        tracer_provider: Whose tracer to use; None is the global one.
        meter_provider: Whose meter to use; None is the global one.

    Raises:
        MissingExtra: On import of this module, if ``opentelemetry-api`` is not installed (extra ``opentelemetry``).
    """

    def __init__(self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None) -> None:
        self._tracer = get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = get_meter(_SCOPE, meter_provider=meter_provider)
        self._decisions = meter.create_counter("optoutkit.guard.decisions", unit="{decision}", description="Decisions, one a recipient.")
        self._failures = meter.create_counter(
            "optoutkit.guard.failures", unit="{failure}", description="Links and requests that could not be told to a store or a ledger."
        )

    def __call__(self, event: GuardEvent) -> None:
        """Tell of one event."""
        if isinstance(event, Decided):
            self._tell_decisions(event)
        elif isinstance(event, LinkContradicted):
            self._failures.add(1, {"optoutkit.failure": "link_contradicted"})
        else:
            kind = "ledger_failed" if isinstance(event, LedgerFailed) else "link_failed"
            self._failures.add(1, {"optoutkit.failure": kind, "error.type": type(event.error).__name__})

    def _tell_decisions(self, event: Decided) -> None:
        decisions = event.verdict.decisions
        with self._tracer.start_as_current_span(f"{_SCOPE} {'send' if event.sending else 'check'}") as span:
            span.set_attribute("optoutkit.actions", [decision.action.value for decision in decisions])
            span.set_attribute("optoutkit.reasons", [decision.reason.value for decision in decisions])
            span.set_attribute("optoutkit.guidelines", event.verdict.guidelines.value)
            if event.verdict.outage is not None:
                span.set_attribute("error.type", type(event.verdict.outage).__name__)
                span.set_status(Status(StatusCode.ERROR))
        for (action, reason), number in Counter((decision.action.value, decision.reason.value) for decision in decisions).items():
            self._decisions.add(number, {"optoutkit.action": action, "optoutkit.reason": reason, "optoutkit.sending": event.sending})
