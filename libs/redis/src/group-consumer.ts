// One group in one shard, as this process consumes it: reads, leases and settles share what is handed out.
import type { Delivery, ReceiveOptions, Subscription } from '@millrace/core';
import { BlockingReader } from './blocking-reader.js';
import type { Caller } from './caller.js';
import type { Connections } from './connections.js';
import type { ShardKeys } from './keys.js';
import { fieldPrefix } from './delivery-names.js';
import { Leases } from './leases.js';
import { OrderedReceiver } from './ordered-receiver.js';
import { Receiver } from './receiver.js';
import { Settler } from './settler.js';
import { GroupShard } from './streams.js';

export class GroupConsumer {
  readonly leases: Leases;
  readonly settler: Settler;
  private readonly groupShard: GroupShard;
  private readonly reader: BlockingReader;
  private receiver: Receiver | OrderedReceiver | undefined;

  constructor(
    readonly subscription: Subscription,
    shard: number,
    keys: ShardKeys,
    private readonly connections: Connections,
    private readonly caller: Caller,
    retryScheduled: (dueInMs: number) => void,
  ) {
    this.groupShard = new GroupShard(subscription, shard, keys);
    this.reader = new BlockingReader(connections, keys.meta);
    this.settler = new Settler(this.groupShard, caller, retryScheduled);
    this.leases = new Leases(this.groupShard, caller, (marks) => this.settler.carry(marks));
  }

  /** The receiver listens to the connection, so only who really reads has one. */
  receive(options: ReceiveOptions): Promise<Delivery[]> {
    const { groupShard, reader, caller, connections } = this;
    this.receiver ??=
      this.subscription.mode === 'ordered'
        ? new OrderedReceiver(groupShard, reader, caller, connections)
        : new Receiver(groupShard, reader, connections);
    return this.receiver.receive(options);
  }

  /**
   * Takes over what expired. When a socket breaks meanwhile, a read may find the same entries among what is pending for us, and
   * have them done before they are returned here: then they are the read's alone.
   */
  async reclaim(max: number): Promise<Delivery[]> {
    const { breaks } = this.connections;
    const found = await this.leases.reclaim(max);
    if (this.connections.breaks === breaks || !(this.receiver instanceof Receiver)) return found;
    this.receiver.lookAgain();
    return [];
  }

  /** Leaves no name behind: a consumer without pending entries is removed at once, one with some when they are reclaimed. */
  async close(): Promise<void> {
    await this.reader.close();
    if (this.subscription.mode === 'ordered') return;
    const { group, consumer } = this.subscription;
    const { streams, group: keys } = this.groupShard;
    const prefixes = streams.map(({ source, queue }) => fieldPrefix(source, queue));
    const names = [keys.started, ...streams.map(({ key }) => key)];
    await this.caller.tryOnce('forget-consumers', names, [group, 0, consumer, ...prefixes]);
  }
}
