// What is logged without anybody asking, through Nest's logger. Names and counts only: payloads never reach a log.
import type { MqEvents } from '@millrace/core';
import type { LoggerService } from '@nestjs/common';

/** Subscribes; the returned function unsubscribes. */
export function logEvents(
  events: MqEvents,
  logger: Required<Pick<LoggerService, 'debug' | 'warn' | 'error'>>,
): () => void {
  const subscribed = [
    events.on('dead-letter', (of) => logger.warn(`${of.reason}: ${where(of)} is a dead letter now${because(of.text)}`)),
    events.on('broadcast-failed', (of) => logger.warn(`${of.reason}: ${where(of)} is given up${because(of.text)}`)),
    events.on('half-parked', ({ topic, producerGroup, messageId, checks }) =>
      logger.warn(
        `half message ${messageId} of ${topic} (${producerGroup}) was checked ${checks} times in vain and is parked`,
      ),
    ),
    events.on('gap', ({ topic, group, queue, missed = 'an unknown number of' }) =>
      logger.warn(`${group} missed ${missed} messages of queue ${queue} of ${topic}: trimmed before they were read`),
    ),
    events.on('stalled', (of) =>
      logger.warn(`The listener of ${where(of)} still runs after its time-out of ${of.timeoutMs} ms`),
    ),
    events.on('claim-lost', (of) =>
      logger.warn(`The key of ${where(of)} was taken over while it was handled: its effect may happen twice`),
    ),
    events.on('lease-lost', (of) => logger.warn(`The lease of ${where(of)} was lost: its effect may happen twice`)),
    events.on('warning', ({ code, text }) => logger.warn(`${text} (${code}, see docs/durability.md)`)),
    events.on('retry', (of) =>
      logger.debug(
        `${where(of)} failed, next attempt in ${of.delayMs} ms${because(`${of.failure.error}: ${of.failure.text}`)}`,
      ),
    ),
    events.on('loop-error', ({ loop, error }) =>
      logger.error(
        `Background loop ${loop} failed and goes on: ${String(error)}`,
        error instanceof Error ? error.stack : undefined,
      ),
    ),
  ];
  return () => subscribed.forEach((off) => off());
}

function where(of: { topic: string; group: string; messageId: string; attempt: number }): string {
  return `message ${of.messageId} of ${of.topic} for ${of.group} (attempt ${of.attempt})`;
}

function because(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `: ${text}`;
}
