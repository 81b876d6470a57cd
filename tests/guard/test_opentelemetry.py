"""What OpenTelemetry is told, read back from the real SDK's exporters in memory."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from optoutkit.errors import StoreUnavailable
from optoutkit.guard import Guard, LedgerFailed, LinkContradicted, LinkFailed
from optoutkit.guard.opentelemetry import OpenTelemetryHook
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut

BUYER, SUPPLIER = Address("abc123@marketplace.amazon.de"), Address("sales@supplier.example")
ORDER = OrderId("302-1234567-1234567")


@attrs.frozen
class Telemetry:
    """The hook, and what came out at the other end."""

    hook: OpenTelemetryHook
    tracer_provider: TracerProvider
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """What was exported."""
        return self.exporter.get_finished_spans()

    def counts(self, name: str) -> dict[tuple[Any, ...], int]:
        """The values of a counter by the values of its attributes, in the order of their names."""
        data = self.reader.get_metrics_data()
        metrics = [metric for one in (data.resource_metrics if data else ()) for scope in one.scope_metrics for metric in scope.metrics]
        points: list[Any] = [point for metric in metrics if metric.name == name for point in metric.data.data_points]
        return {tuple(point.attributes[key] for key in sorted(point.attributes)): point.value for point in points}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """A hook for providers of its own."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    hook = OpenTelemetryHook(tracer_provider=tracer_provider, meter_provider=meter_provider)
    yield Telemetry(hook, tracer_provider, exporter, reader)
    tracer_provider.shutdown()
    meter_provider.shutdown()


def test_each_message_is_a_span_below_the_current_one(telemetry: Telemetry, store: Any, saying: Any) -> None:
    """Named by what the guard was asked to do, with an action and a reason for each recipient."""
    store.record([OptOut(BUYER)])
    guard = Guard(store, classify=saying("thank_you"), hook=telemetry.hook)
    message = Message("s", "b", to=[str(BUYER), str(SUPPLIER)])
    with telemetry.tracer_provider.get_tracer("a program").start_as_current_span("sends mail") as outer:
        guard.check(message)
        guard.deliver(message, lambda _verdict: None)
    asked, sent, _ = telemetry.spans
    assert (asked.name, sent.name) == ("optoutkit.guard check", "optoutkit.guard send")
    for span in (asked, sent):
        assert span.parent is not None
        assert span.parent.span_id == outer.get_span_context().span_id
        assert dict(span.attributes or {}) == {
            "optoutkit.actions": ("suppress", "send"),
            "optoutkit.reasons": ("opted_out", "not_opted_out"),
            "optoutkit.guidelines": "off",
        }
        assert span.status.status_code is StatusCode.UNSET


def test_an_outage_is_an_error(telemetry: Telemetry, down: Any, saying: Any) -> None:
    """By its kind; its text, which may name somebody, is not told."""
    down.down = StoreUnavailable(f"cannot ask for {BUYER}")
    Guard(down, classify=saying("thank_you"), hook=telemetry.hook).check(Message("s", "b", to=str(BUYER)))
    (span,) = telemetry.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "StoreUnavailable"
    assert "abc123" not in span.to_json()


def test_decisions_are_counted(telemetry: Telemetry, store: Any, saying: Any) -> None:
    """One a recipient, by action, reason, and whether the message was being sent."""
    store.record([OptOut(BUYER)])
    guard = Guard(store, classify=saying("thank_you"), hook=telemetry.hook)
    guard.check_many([Message("s", "b", to=[str(BUYER), str(SUPPLIER), "b@supplier.example"])] * 2)
    guard.deliver(Message("s", "b", to=str(SUPPLIER)), lambda _verdict: None)
    assert telemetry.counts("optoutkit.guard.decisions") == {
        ("suppress", "opted_out", False): 2,
        ("send", "not_opted_out", False): 4,
        ("send", "not_opted_out", True): 1,
    }


def test_failures_are_counted(telemetry: Telemetry) -> None:
    """By what failed, and by the kind of error."""
    error = StoreUnavailable("gone")
    telemetry.hook(LinkFailed(seller="", order_id=ORDER, address=BUYER, error=error))
    telemetry.hook(LinkContradicted(seller="", order_id=ORDER, address=BUYER))
    for _ in range(2):
        telemetry.hook(LedgerFailed(seller="", order_ids=(ORDER,), sent=True, error=error))
    assert telemetry.counts("optoutkit.guard.failures") == {
        ("StoreUnavailable", "link_failed"): 1,
        ("link_contradicted",): 1,
        ("StoreUnavailable", "ledger_failed"): 2,
    }
    assert telemetry.spans == ()


def test_without_providers_the_global_ones_are_used(store: Any, saying: Any) -> None:
    """Which do nothing unless the program has set them up."""
    assert Guard(store, classify=saying("thank_you"), hook=OpenTelemetryHook()).check(Message("s", "b", to=str(BUYER))).sends


def test_without_the_package_the_extra_is_named() -> None:
    """And the guard itself does without."""
    code = "import sys; sys.modules['opentelemetry'] = None; import optoutkit.guard; import optoutkit.guard.opentelemetry"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtra: The hook for OpenTelemetry needs an optional package" in done.stderr
    assert "optoutkit[opentelemetry]" in done.stderr
