// One reader in broadcast mode, as a case plays it: goes on with the places it was given.
import type {
  BroadcastGap,
  BroadcastPage,
  BroadcastPosition,
  BroadcastReadOptions,
  BroadcastSpec,
} from '@millrace/core';
import type { BrokerPorts } from '@millrace/core';
import type { Scene } from './scene.js';

export class BroadcastListener {
  readonly gaps: BroadcastGap[] = [];

  private constructor(
    private readonly ports: BrokerPorts,
    readonly spec: BroadcastSpec,
    readonly places: (readonly BroadcastPosition[])[],
  ) {}

  /** In the first process and from `last` on, unless said otherwise. */
  static async open(
    stage: Scene,
    { ports = stage.ports, ...options }: Partial<BroadcastSpec> & { ports?: BrokerPorts } = {},
  ): Promise<BroadcastListener> {
    const spec: BroadcastSpec = { topic: stage.topic, group: 'caches', startFrom: 'last', ...options };
    return new BroadcastListener(ports, spec, [...(await ports.broadcast.open(spec))]);
  }

  async read(options: Partial<BroadcastReadOptions> = {}, shard = 0): Promise<BroadcastPage> {
    const page = await this.ports.broadcast.read(this.spec, shard, this.places[shard]!, {
      max: 100,
      waitMs: 0,
      ...options,
    });
    this.places[shard] = page.positions;
    this.gaps.push(...page.gaps);
    return page;
  }

  /** The bodies of everything that is there, read page by page. */
  async drain(options: Partial<BroadcastReadOptions> = {}): Promise<string[]> {
    const all: string[] = [];
    for (let shard = 0; shard < this.places.length; shard++) {
      for (;;) {
        const { entries } = await this.read(options, shard);
        if (entries.length === 0) break;
        all.push(...entries.map(({ message }) => message.body.toString()));
      }
    }
    return all;
  }

  async keep(): Promise<void> {
    for (const [shard, places] of this.places.entries()) await this.ports.broadcast.keep(this.spec, shard, places);
  }
}
