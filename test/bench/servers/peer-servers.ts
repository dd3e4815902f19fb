// The servers that peers need, each started when the first scenario asks for it and kept until the end.
import { startNats } from './nats-server.js';
import type { PeerServer } from './peer-server.js';
import { startRabbitMq } from './rabbitmq-server.js';

export type PeerServerName = 'nats' | 'rabbitMq';
type Start = (download: boolean) => Promise<PeerServer>;

const START: Readonly<Record<PeerServerName, Start>> = { nats: startNats, rabbitMq: startRabbitMq };

/** On a busy machine RabbitMQ takes more than all the rest of a quick run to start. */
export const QUICK_START: typeof START = {
  ...START,
  rabbitMq: () => Promise.reject(new Error('takes too long to start for a quick run')),
};

export class PeerServers {
  private readonly started = new Map<PeerServerName, Promise<PeerServer>>();

  /** @param download whether packages that are not in the cache may be fetched */
  constructor(
    private readonly download: boolean,
    private readonly onStart: (server: PeerServer, seconds: number) => void = () => undefined,
    private readonly starters: Readonly<Record<PeerServerName, Start>> = START,
  ) {}

  /** Running. Rejects with the same reason each time when it cannot be had: nobody waits for it twice. */
  async get(name: PeerServerName): Promise<PeerServer> {
    let starting = this.started.get(name);
    if (!starting) {
      starting = this.start(name);
      this.started.set(name, starting);
    }
    const server = await starting;
    server.resume();
    return server;
  }

  async stop(): Promise<void> {
    const servers = await Promise.allSettled(this.started.values());
    this.started.clear();
    for (const result of servers) if (result.status === 'fulfilled') await result.value.stop();
  }

  private async start(name: PeerServerName): Promise<PeerServer> {
    const begun = performance.now();
    const server = await this.starters[name](this.download);
    this.onStart(server, (performance.now() - begun) / 1000);
    return server;
  }
}
