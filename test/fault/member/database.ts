// The database side of a member: effects through the inbox, sends through the outbox.
import 'reflect-metadata';
import { setTimeout as wait } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Middleware, MqContext } from '@millrace/core';
import { MqModule } from '@millrace/nestjs';
import { connectRedis } from '@millrace/redis';
import { getTransaction, InboxMiddleware, Outbox, OutboxAdmin, TransactionalModule } from '@millrace/transactional';
import { openPool } from '../database/sql-pool.js';
import { insertInto, kindOf } from '../database/tables.js';
import { businessSend } from './business.js';
import type { MemberConfig } from './member-config.js';
import { mortalRelay } from './mortal-relay.js';
import type { Payload } from './payload.js';
import type { Send } from './sending-member.js';

const DRAIN_MS = 20_000;

export interface Database {
  readonly inbox: Middleware;
  effect(group: number): (context: MqContext, body: Payload) => Promise<void>;
  readonly send: Send;
  close(): Promise<void>;
}

/** As it is read at the end; big numbers come as text. */
export interface EffectRow {
  readonly consumer_group: number;
  readonly producer: number;
  readonly n: number;
  readonly key_no: string;
  readonly fence: string;
}

export async function openDatabase(config: MemberConfig): Promise<Database> {
  const kind = kindOf(config.databaseUrl!);
  const pool = openPool(config.databaseUrl!);
  const insertEffect = insertInto(kind, 'effects', ['consumer_group', 'producer', 'n', 'key_no', 'fence']);
  const { connection, namespace, sendTimeout, sending } = config;
  const ports = connectRedis({ connection, namespace, sendTimeout });
  const relay = sending?.outbox || config.relaying ? { pollInterval: '200ms' } : false;
  const database = config.relaying ? mortalRelay(ports.broker, pool.database) : pool.database;

  // Topics that are declared at start need the broker then; an app that only writes rows must start without it.
  const topics = sending?.business || config.relaying ? [] : config.topics;

  @Module({
    imports: [MqModule.forRoot({ ports, topics }), TransactionalModule.forRoot({ database, relay, migrate: true })],
  })
  class DatabaseModule {}

  const app = await NestFactory.createApplicationContext(DatabaseModule, { logger: ['error'] });
  const inbox = app.get(InboxMiddleware, { strict: false });
  const outbox = app.get(Outbox, { strict: false });
  const outboxAdmin = app.get(OutboxAdmin, { strict: false });
  return {
    inbox: inbox.handle,
    effect: (group) => async (context, body) => {
      const row = [group, body.p, body.n, body.k, context.fence];
      await database.executor(getTransaction(context)).query(insertEffect, row);
    },
    send: sending?.business
      ? businessSend({ outbox, database, kind }, sending.business)
      : async (topic, body, options) => {
          await outbox.withTransaction(() => outbox.send(topic, body, options));
          return undefined;
        },
    close: async () => {
      // Its relay may be the only one: what it left in the outbox nobody would send.
      if (relay) await drained(outboxAdmin);
      await app.close();
      await pool.close();
    },
  };
}

async function drained(admin: OutboxAdmin): Promise<void> {
  const giveUpAt = performance.now() + DRAIN_MS;
  while ((await admin.status()).pending > 0 && performance.now() < giveUpAt) await wait(50);
}
