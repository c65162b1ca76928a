import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span } from '@opentelemetry/api';
import type { Settings } from '../config/settings.js';
import { addRequestStep } from '../http/route-hooks.js';

const SERVICE_NAME = 'marathon-registry';
/** Spans that were not sent by then are lost: the service ends within five seconds. */
const SHUTDOWN_TIMEOUT_MS = 1000;

/**
 * Sends a span for each request to the collector that the standard variables `OTEL_*` name. OpenTelemetry is
 * loaded only if they are set. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 *
 * The names are those of https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export async function traceRequests(
  fastify: FastifyInstance,
  { isTraced, trustProxy }: Settings,
): Promise<void> {
  if (!isTraced) return;
  const { defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode } =
    await import('@opentelemetry/api');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const provider = await makeProvider();
  const tracer = provider.getTracer(SERVICE_NAME);
  const propagator = new W3CTraceContextPropagator();
  const parentOf = ({ headers }: FastifyRequest) =>
    trustProxy ? propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter) : ROOT_CONTEXT;
  addRequestStep(fastify, (request, reply) => {
    const options = {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': request.method },
    };
    const span = tracer.startSpan(request.method, options, parentOf(request));
    reply.raw.once('close', () => {
      if (reply.raw.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      endSpan(span, request, reply.raw.statusCode);
    });
  });
  fastify.addHook('onClose', async () => {
    await Promise.race([provider.shutdown(), wait(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
  });
}

/** The address has no values: they may be secret. */
function endSpan(span: Span, request: FastifyRequest, status: number): void {
  const route = request.is404 ? undefined : request.routeOptions.url;
  if (route) span.updateName(`${request.method} ${route}`).setAttribute('http.route', route);
  span.setAttribute('http.response.status_code', status);
  span.end();
}

async function makeProvider() {
  const { BatchSpanProcessor, NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { detectResources, envDetector, resourceFromAttributes } =
    await import('@opentelemetry/resources');
  const own = resourceFromAttributes({ 'service.name': SERVICE_NAME });
  return new NodeTracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
}
