// Finds the recurring messages of one connection and stores them.
import { InvalidOptionError, scheduleSpec } from '@millrace/core';
import { Injectable } from '@nestjs/common';
import { MqConnection } from '../connection/mq-connection.js';
import { MethodDiscovery } from '../method-discovery.js';
import { cronsOf, type CronDeclaration } from './mq-cron.decorator.js';

type FoundCron = CronDeclaration & { readonly name: string; readonly where: string };

@Injectable()
export class CronExplorer {
  constructor(
    private readonly connection: MqConnection,
    private readonly discovery: MethodDiscovery,
  ) {}

  /** Throws InvalidOptionError naming the class when one is declared badly. */
  check(): void {
    this.explore();
  }

  /** Stores them all. Throws InvalidOptionError naming the class when one is declared badly; nothing is stored then. */
  async upsert(): Promise<void> {
    const found = this.explore();
    for (const { name, options } of found) await this.connection.mq.schedules.upsert(name, options);
  }

  private explore(): FoundCron[] {
    const places = new Map<string, string>();
    const ours = [...this.discovery.classes()].flatMap(({ prototype, name: where }) =>
      cronsOf(prototype, where).map((declared) => ({ ...declared, where })),
    );
    return ours
      .filter(({ connection }) => connection === this.connection.name)
      .map((cron) => {
        this.checkOne(cron);
        const place = `${cron.options.topic}/${cron.name}`;
        if (places.has(place))
          throw new InvalidOptionError(
            `${cron.where}: @MqCron`,
            cron.name,
            `is the name of two schedules of topic ${cron.options.topic}; give each its own name`,
          );
        places.set(place, cron.where);
        return cron;
      });
  }

  private checkOne({ options, where }: FoundCron): void {
    try {
      scheduleSpec(options);
    } catch (error) {
      if (error instanceof InvalidOptionError) error.message = `${where}: @MqCron: ${error.message}`;
      throw error;
    }
  }
}
