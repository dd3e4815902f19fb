// A dead letter as JSON, for people and programs without Millrace.
import { decodeMessage, type BrokerAdmin, type DeadLetter, type DeadLetterFilter, type Headers } from '@millrace/core';

export interface ExportedDeadLetter extends Omit<DeadLetter, 'message' | 'deadAt'> {
  /** ISO 8601. */
  readonly deadAt: string;
  readonly headers: Headers;
  readonly bornAt?: string;
  /** The body when it is JSON. */
  readonly body?: unknown;
  /** The body otherwise: raw bytes, or what could not be decoded. */
  readonly bodyBase64?: string;
}

/** Never throws: what cannot be decoded is exported with its bytes. */
export function exported({ message, deadAt, ...summary }: DeadLetter): ExportedDeadLetter {
  const known = { ...summary, deadAt: deadAt.toISOString() };
  try {
    const { headers, bornAt, body } = decodeMessage(summary.topic, message);
    const content = Buffer.isBuffer(body) ? { bodyBase64: body.toString('base64') } : { body };
    return { ...known, headers, bornAt: bornAt.toISOString(), ...content };
  } catch {
    return { ...known, headers: {}, bodyBase64: message.body.toString('base64') };
  }
}

/**
 * The dead letters of a group as lines of NDJSON, oldest first, for a stream of one's own:
 * `pipeline(deadLetterLines(admin, 'orders', 'billing'), createGzip(), destination)`. Reads one letter at a time.
 */
export async function* deadLetterLines(
  admin: BrokerAdmin,
  topic: string,
  group: string,
  filter?: DeadLetterFilter,
): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await admin.listDeadLetters(topic, group, { filter, cursor, order: 'oldest' });
    for (const { name } of page.letters) {
      const letter = await admin.deadLetter(topic, group, name);
      if (letter) yield `${JSON.stringify(exported(letter))}\n`;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
