// Options of `Operations` and of its Nest module: documentation, defaults and checks in one place.
import { checkInteger, checkOptions, InvalidOptionError, toMs, type Duration } from '@millrace/core';
import { Redis, type RedisOptions } from 'ioredis';
import type { DeadLetterSink } from './export/export-sink.js';

/** A Redis URL, ioredis options, or a function that makes a client: a copy of it is used. */
export type OperationsConnection = string | RedisOptions | (() => Redis);

export interface OperationsOptions {
  /** Where operations are kept. @default in Nest what MqModule's `connection` says; required elsewhere */
  connection?: OperationsConnection;
  /** As `MqModule.forRoot({ namespace })`. @default in Nest the namespace of the connection; 'mq' elsewhere */
  namespace?: string;
  /** Whether this process runs operations; any process can start, stop and watch them. One at least must. @default true */
  run?: boolean;
  /** How long a process that runs an operation may be silent before another one goes on with it; at least '1s'. @default '30s' */
  takeover?: Duration;
  /** Targets of exports by name: `operations.export(…, { to: 'archive' })`. Given to every process that runs. @default {} */
  sinks?: Readonly<Record<string, DeadLetterSink>>;
  /** How many operations that have ended are remembered. @default 1000 */
  history?: number;
}

export const OPERATIONS_DEFAULTS = {
  namespace: 'mq',
  run: true,
  takeover: '30s',
  sinks: {},
  history: 1000,
} as const satisfies OperationsOptions;

export interface OperationsSpec {
  readonly connection: OperationsConnection;
  readonly namespace: string;
  readonly run: boolean;
  readonly takeoverMs: number;
  readonly sinks: Readonly<Record<string, DeadLetterSink>>;
  readonly history: number;
}

/** Throws InvalidOptionError. */
export function operationsSpec(options: OperationsOptions): OperationsSpec {
  checkOptions('operations', options, ['connection', ...Object.keys(OPERATIONS_DEFAULTS)]);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { connection, namespace, run, takeover, sinks, history } = {
    ...OPERATIONS_DEFAULTS,
    ...given,
  } as Required<OperationsOptions>;
  if (!['string', 'function', 'object'].includes(typeof connection) || connection === null)
    // What was given is not shown: it may hold a password.
    throw new InvalidOptionError(
      'operations.connection',
      typeof connection,
      'must be a Redis URL, ioredis options or a function that makes a client',
    );
  if (typeof namespace !== 'string' || !/^[a-zA-Z0-9_.-]{1,64}$/.test(namespace))
    throw new InvalidOptionError('operations.namespace', namespace, 'is 1 to 64 of the characters a-z A-Z 0-9 _ . -');
  if (typeof run !== 'boolean') throw new InvalidOptionError('operations.run', run, 'must be true or false');
  const takeoverMs = toMs('operations.takeover', takeover);
  if (takeoverMs < 1000) throw new InvalidOptionError('operations.takeover', takeover, "must be at least '1s'");
  for (const [name, sink] of Object.entries(sinks))
    if (typeof sink !== 'function')
      throw new InvalidOptionError(`operations.sinks.${name}`, sink, 'must be a function');
  return {
    connection,
    namespace,
    run,
    takeoverMs,
    sinks,
    history: checkInteger('operations.history', history, 1, 1_000_000),
  };
}

/** A client of our own for everything but blocking reads, which BullMQ opens beside it. */
export function clientOf(connection: OperationsConnection): Redis {
  const ours = { maxRetriesPerRequest: null, protocol: 2 } as const;
  if (typeof connection === 'string') return new Redis(connection, ours);
  if (typeof connection !== 'function') return new Redis({ ...connection, ...ours });
  const made = connection();
  made.on('error', () => undefined).disconnect();
  return made.duplicate(ours);
}
