// When the tables are looked at, and when the relay works.
//
//   onModuleInit: tables there? (before any listener consumes) -> onApplicationBootstrap: relay and cleaner start
//   onApplicationShutdown: they stop (listeners have drained and HTTP is closed: what they wrote was still relayed)
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { TransactionalRuntime } from './transactional-runtime.js';

@Injectable()
export class TransactionalLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly runtime: TransactionalRuntime) {}

  onModuleInit(): Promise<void> {
    return this.runtime.checkTables();
  }

  onApplicationBootstrap(): void {
    this.runtime.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.runtime.stop();
  }
}
