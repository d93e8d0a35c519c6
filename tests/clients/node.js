// Every Node.js client, unmodified, pointed at Daybook (DAYBOOK_URL) with a token (DAYBOOK_TOKEN). Each sends the same twice,
// as a client does whose first answer was lost. Ends with 1 if a client says that something was not taken.
import { randomUUID } from 'node:crypto';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { CloudEvent, HTTP } from 'cloudevents';
import { PostHog } from 'posthog-node';

const url = process.env.DAYBOOK_URL;
const token = process.env.DAYBOOK_TOKEN;
const at = new Date();
const failures = [];

async function segment(id) {
  const analytics = new Analytics({ writeKey: token, host: url });
  analytics.on('error', (error) => failures.push(`segment: ${JSON.stringify(error)}`));
  analytics.track({
    messageId: id,
    userId: 'segment-node',
    event: 'Order Completed',
    properties: { revenue: 42.5, plan: 'pro' },
    timestamp: at,
  });
  await analytics.closeAndFlush();
}

async function rudderstack(id) {
  const analytics = new RudderAnalytics(token, { dataPlaneUrl: url });
  const sent = new Promise((resolve) => {
    const message = { messageId: id, userId: 'rudder-node', event: 'Order Completed', timestamp: at };
    analytics.track({ ...message, properties: { revenue: 42.5, plan: 'pro' } }, (error) => {
      if (error) failures.push(`rudderstack: ${error}`);
      resolve();
    });
  });
  await analytics.flush();
  await sent;
}

async function posthog(id, mode) {
  process.env.POSTHOG_CAPTURE_MODE = mode;
  const client = new PostHog(token, { host: url });
  client.on('error', (error) => failures.push(`posthog ${mode}: ${error}`));
  client.capture({
    uuid: id,
    distinctId: `posthog-node-${mode}`,
    event: 'Order Completed',
    properties: { revenue: 42.5, plan: 'pro' },
    timestamp: at,
  });
  await client.shutdown();
}

/** A log record as the SDK makes it, kept so that it can be exported twice. */
function logRecord(actor) {
  const records = [];
  const keep = {
    onEmit: (record) => records.push(record),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new LoggerProvider({ processors: [keep] });
  provider.getLogger('shop', '1.0').emit({
    eventName: 'Order Completed',
    timestamp: at,
    severityNumber: 9,
    body: 'an order is completed',
    attributes: { 'user.id': actor, revenue: 42.5, plan: 'pro' },
  });
  return records;
}

async function otlp(Exporter, name, records) {
  const exporter = new Exporter({
    url: `${url}/v1/logs`,
    headers: { Authorization: `Bearer ${token}` },
    compression: 'gzip',
  });
  await new Promise((resolve) => {
    exporter.export(records, ({ error }) => {
      if (error) failures.push(`${name}: ${error}`);
      resolve();
    });
  });
  await exporter.shutdown();
}

async function cloudevent(mode, id) {
  const event = new CloudEvent({
    id,
    source: '/shop',
    type: 'Order Completed',
    subject: `cloudevents-node-${mode}`,
    time: at.toISOString(),
    data: { revenue: 42.5, plan: 'pro' },
  });
  const message = mode === 'batch' ? batch(event) : HTTP[mode](event);
  const answer = await fetch(`${url}/v1/cloudevents`, {
    method: 'POST',
    headers: { ...message.headers, Authorization: `Bearer ${token}` },
    body: message.body,
  });
  if (answer.status !== 202) failures.push(`cloudevents ${mode}: ${answer.status} ${await answer.text()}`);
}

/** The SDK reads batches and writes none; this is one as the specification has it. */
const batch = (event) => ({
  headers: { 'content-type': 'application/cloudevents-batch+json' },
  body: JSON.stringify([event]),
});

const ids = Object.fromEntries(['v0', 'v1'].map((mode) => [mode, randomUUID()]));
const [json, protobuf] = [logRecord('otlp-node-json'), logRecord('otlp-node-protobuf')];
for (const time of ['first', 'second']) {
  await segment('segment-node-1');
  await rudderstack('rudder-node-1');
  await posthog(ids.v0, 'v0');
  await posthog(ids.v1, 'v1');
  await otlp(JsonExporter, 'otlp json', json);
  await otlp(ProtobufExporter, 'otlp protobuf', protobuf);
  for (const mode of ['binary', 'structured', 'batch']) await cloudevent(mode, `${mode}-1`);
  console.log(`sent the ${time} time`);
}
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);
