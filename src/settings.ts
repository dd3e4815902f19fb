// What the environment tells a process of the shop. Read once, at start: nothing else looks at process.env.
import { toMs } from '@millrace/core';

/** `web` answers HTTP, `consumer` handles messages, `all` does both. */
export type Role = 'all' | 'web' | 'consumer';

export class Settings {
  constructor(
    readonly role: Role,
    /** Address to listen on; `0.0.0.0` for everyone. */
    readonly host: string,
    /** 0 takes a free port. */
    readonly port: number,
    readonly redisUrl: string,
    readonly databaseUrl: string,
    /** Prefix of all Redis keys, so that several shops can share a server. */
    readonly namespace: string,
    /** How long an order waits for its payment, in ms. */
    readonly paymentWindowMs: number,
  ) {}

  /** @throws Error naming the variable that is missing or wrong */
  static fromEnvironment(env: NodeJS.ProcessEnv): Settings {
    return new Settings(
      checkRole(env.ROLE ?? 'all'),
      env.HOST ?? '127.0.0.1',
      checkPort(env.PORT ?? '3000'),
      env.REDIS_URL ?? 'redis://127.0.0.1:6379',
      env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/shop',
      env.NAMESPACE ?? 'shop',
      toMs('PAYMENT_WINDOW', env.PAYMENT_WINDOW ?? '15m'),
    );
  }
}

function checkRole(text: string): Role {
  if (text === 'all' || text === 'web' || text === 'consumer') return text;
  throw new Error(`ROLE: must be all, web or consumer (given: ${text})`);
}

function checkPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`PORT: must be a port number (given: ${text})`);
}
