"""Every Python client, unmodified, pointed at Daybook (DAYBOOK_URL) with a token (DAYBOOK_TOKEN).

Each sends the same twice, as a client does whose first answer was lost. Ends with 1 if a client says that something was
not taken.
"""

import os
import sys
import uuid
from datetime import datetime, timezone

import requests
import rudderstack.analytics.client
import segment.analytics.client
from cloudevents.v1.conversion import to_binary, to_json, to_structured
from cloudevents.v1.http import CloudEvent
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from posthog import Posthog

URL = os.environ["DAYBOOK_URL"]
TOKEN = os.environ["DAYBOOK_TOKEN"]
AT = datetime.now(timezone.utc)
PROPERTIES = {"revenue": 42.5, "plan": "pro"}
failures = []


def failed(name):
    return lambda error, *_: failures.append(f"{name}: {error!r}")


def segment_python():
    client = segment.analytics.client.Client(TOKEN, host=URL, on_error=failed("segment"))
    client.track("segment-python", "Order Completed", dict(PROPERTIES), timestamp=AT, message_id="segment-python-1")
    client.shutdown()


def rudder_python():
    client = rudderstack.analytics.client.Client(TOKEN, host=URL, on_error=failed("rudderstack"))
    client.track("rudder-python", "Order Completed", dict(PROPERTIES), timestamp=AT, message_id="rudder-python-1")
    client.shutdown()


def posthog_python(mode, event_id):
    client = Posthog(TOKEN, host=URL, gzip=True, capture_mode=mode, on_error=failed(f"posthog {mode}"))
    client.capture(
        "Order Completed",
        distinct_id=f"posthog-python-{mode}",
        properties=dict(PROPERTIES),
        timestamp=AT,
        uuid=event_id,
    )
    client.shutdown()


def log_records():
    kept = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    provider.get_logger("shop").emit(
        LogRecord(
            timestamp=int(AT.timestamp() * 1_000_000_000),
            event_name="Order Completed",
            severity_number=SeverityNumber.INFO,
            body="an order is completed",
            attributes={"user.id": "otlp-python", **PROPERTIES},
        )
    )
    return kept.get_finished_logs()


def otlp_python(records):
    exporter = OTLPLogExporter(
        endpoint=f"{URL}/v1/logs",
        headers={"Authorization": f"Bearer {TOKEN}"},
        compression=Compression.Gzip,
    )
    result = exporter.export(records)
    if result.name != "SUCCESS":
        failures.append(f"otlp: {result}")
    exporter.shutdown()


def cloudevents_python(mode):
    attributes = {
        "id": f"{mode}-1",
        "source": "/shop",
        "type": "Order Completed",
        "subject": f"cloudevents-python-{mode}",
        "time": AT.isoformat(),
    }
    event = CloudEvent(attributes, dict(PROPERTIES))
    if mode == "binary":
        headers, body = to_binary(event)
    elif mode == "structured":
        headers, body = to_structured(event)
    else:
        # The package writes single events; this is a batch as the specification has it.
        headers, body = {"content-type": "application/cloudevents-batch+json"}, b"[" + to_json(event) + b"]"
    headers = {**headers, "Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(f"{URL}/v1/cloudevents", data=body, headers=headers, timeout=10)
    if answer.status_code != 202:
        failures.append(f"cloudevents {mode}: {answer.status_code} {answer.text}")


def main():
    ids = {mode: str(uuid.uuid4()) for mode in ("v0", "v1")}
    records = log_records()
    for time in ("first", "second"):
        segment_python()
        rudder_python()
        for mode, event_id in ids.items():
            posthog_python(mode, event_id)
        otlp_python(records)
        for mode in ("binary", "structured", "batch"):
            cloudevents_python(mode)
        print(f"sent the {time} time")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
