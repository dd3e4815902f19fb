// Options of one connection: documentation, defaults and validation in one place.
import {
  checkOptions,
  InvalidOptionError,
  type BrokerPorts,
  type Clock,
  type Durability,
  type Duration,
  type ListenerOptions,
  type Middleware,
  type TopicOptions,
} from '@millrace/core';
import type { RedisConnection } from '@millrace/redis';
import { startupSpec, type MqStartupOptions } from './connection/startup-options.js';

/** What `MqModule.forRoot` takes, and what the factory of `forRootAsync` returns. */
export interface MqModuleOptions {
  /** URL, ioredis options, or a function that makes clients. Nothing is opened before the first use. Required unless `ports`. */
  connection?: RedisConnection;
  /** First part of every key, so that several applications can share a server. @default 'mq' */
  namespace?: string;
  /** How long a call is tried before it fails, or its fate is reported as unknown. @default '30s' */
  sendTimeout?: Duration;
  /** A server that says nothing for this long while calls are under way is taken for dead. At least 1s. @default '15s' */
  silenceTimeout?: Duration;
  /**
   * Whether this process consumes. With `false` nothing is consumed until `MqRegistrar.start()`; producers and
   * upkeep (promoting delayed messages, trimming) work. @default true
   */
  consumers?: boolean;
  /** Topics whose settings differ from the defaults; `forFeature` adds to them. @default [] */
  topics?: readonly TopicOptions[];
  /** Positional table of delay levels, level 1 first. @default RocketMQ's 18 levels */
  delayLevels?: readonly Duration[];
  /** Around every listener, outside of guards, interceptors and pipes; the first is the outermost. @default [] */
  middleware?: readonly Middleware[];
  /** How safe a message must be before its send is acknowledged, for sends that do not say. @default 'memory' */
  durability?: Durability;
  /** How long closing the application waits for running listeners before their messages are handed back. @default '30s' */
  shutdownTimeout?: Duration;
  /** What the start of the application does while the broker does not answer. @default { timeout: '10s', onTimeout: 'continue' } */
  startup?: MqStartupOptions;
  /** Create missing topics on first use. @default true */
  autoCreate?: boolean;
  /** Whether the application's *global* guards and filters see listeners. Their own (`@UseGuards`, `@UseFilters`) always do. */
  enhancers?: MqEnhancerOptions;
  /** Options of the listeners that are declared by name: `@MqListener('billing')`. @default {} */
  listeners?: Readonly<Record<string, ListenerOptions>>;
  /** Takes the place of `connection`, for tests: in-memory ports. They are closed with the application. */
  ports?: BrokerPorts;
  /** Source of time, for tests. @default the system clock */
  clock?: Clock;
}

export interface MqEnhancerOptions {
  /** Run global guards (`APP_GUARD`, `useGlobalGuards`) before listeners. @default false */
  guards?: boolean;
  /** Show failures of listeners to global exception filters. They observe; they never turn a failure into an ack. @default false */
  filters?: boolean;
}

/** Makes the options of a connection; for `forRootAsync({ useClass })` and `{ useExisting }`. */
export interface MqOptionsFactory {
  createMqOptions(): MqModuleOptions | Promise<MqModuleOptions>;
}

export const MODULE_DEFAULTS = {
  consumers: true,
  enhancers: { guards: false, filters: false },
  listeners: {},
} as const satisfies Partial<MqModuleOptions>;

const KNOWN = [
  'connection',
  'namespace',
  'sendTimeout',
  'silenceTimeout',
  'topics',
  'delayLevels',
  'middleware',
  'durability',
  'shutdownTimeout',
  'startup',
  'autoCreate',
  'ports',
  'clock',
  ...Object.keys(MODULE_DEFAULTS),
];

/** Refuses unknown options and what this library itself reads; core and redis check the rest. Throws InvalidOptionError. */
export function checkModuleOptions(path: string, options: unknown): asserts options is MqModuleOptions {
  refuseStatics(path, options);
  checkOptions(path, options, KNOWN);
  const given = options as Record<string, unknown>;
  checkBoolean(`${path}.consumers`, given.consumers);
  if (given.listeners !== undefined) checkRecord(`${path}.listeners`, given.listeners);
  startupSpec(given.startup as MqStartupOptions | undefined, `${path}.startup`);
  if (given.enhancers !== undefined) {
    checkOptions(`${path}.enhancers`, given.enhancers, Object.keys(MODULE_DEFAULTS.enhancers));
    for (const [name, value] of Object.entries(given.enhancers as object))
      checkBoolean(`${path}.enhancers.${name}`, value);
  }
  if (given.ports !== undefined) return checkPorts(`${path}.ports`, given.ports);
  if (given.connection === undefined)
    throw new InvalidOptionError(
      `${path}.connection`,
      undefined,
      'is required: a Redis URL, ioredis options or a function that makes a client',
    );
}

/** `name` and `isGlobal` decide which providers exist, so a factory, which runs later, comes too late for them. */
function refuseStatics(path: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) return;
  for (const name of ['name', 'isGlobal'])
    if (name in options)
      throw new InvalidOptionError(
        `${path}.${name}`,
        (options as Record<string, unknown>)[name],
        'belongs beside the factory of forRootAsync, not into what it returns',
      );
}

function checkPorts(option: string, ports: unknown): void {
  const { broker, leases, control, admin } = (ports ?? {}) as Partial<BrokerPorts>;
  if (!broker || !leases || !control || !admin)
    throw new InvalidOptionError(option, typeof ports, 'must be broker ports: { broker, leases, control, admin }');
}

function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new InvalidOptionError(option, value, 'must be true or false');
}

function checkRecord(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidOptionError(option, value, 'must map listener names to listener options');
}
