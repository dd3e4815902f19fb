import { loseReply } from '../faults.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import type { ListeningConfig } from '../member/member-config.js';
import { LEASE_MS } from '../traffic.js';
import type { TcpProxy } from '@millrace/testing';
import type { Scenario } from '../scenario.js';
import { scriptSha } from '../stage/script-sha.js';
import { concurrent, ordered } from '../traffic.js';

export const lostReplies: Scenario = {
  id: 'T7',
  title: 'lost replies on send, receive, settle, renew, reclaim, promote, cancel, relay',
  timeFactor: 1.5,
  run: async (stage) => {
    await Promise.all([stage.startRedis(), stage.startSql()]);
    const work = { workMs: [1, 30], failShare: 0.05 } as const;
    const listening = [concurrent(0, work), ordered(1, work)];
    // A reply that is lost changes nothing: not one message may be handled twice, not one answer may be another.
    stage.rules = { groups: stage.groups(listening), noDuplicates: true };
    const [consuming, sending, relaying] = [await stage.proxy(), await stage.proxy(), await stage.proxy()];
    for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening, consuming);
    await stage.producer(
      'producer',
      { perSecond: 250, keys: 20, delayShare: 0.4, maxDelayMs: 1_500, cancelShare: 0.4 },
      sending,
    );
    // One transaction at a time: order in the outbox is that of the commits.
    await stage.producer('relay', { perSecond: 50, keys: 10, outbox: true, maxInFlight: 1 }, relaying);
    const [send, ack, settle, renew, reclaim, promote, cancel, readOrdered, leaseQueue] = await Promise.all(
      (['send', 'ack', 'settle', 'renew', 'reclaim', 'promote', 'cancel', 'read-ordered', 'lease-queue'] as const).map(
        scriptSha,
      ),
    );
    const kinds = [
      loseReply(stage, [sending], 'send', send!),
      loseReply(stage, [consuming], 'receive', 'xreadgroup'),
      loseReply(stage, [consuming], 'ordered read', readOrdered!),
      loseReply(stage, [consuming], 'queue lease', leaseQueue!),
      loseReply(stage, [consuming], 'ack', ack!),
      loseReply(stage, [consuming], 'settle', settle!),
      loseReply(stage, [consuming], 'renew', renew!),
      loseReply(stage, [sending], 'promote', promote!),
      loseReply(stage, [sending], 'cancel', cancel!),
      loseReply(stage, [relaying], 'relay', send!),
      loseReclaim(stage, [listening[0]!], consuming, reclaim!),
    ];
    await stage.nemesis({ forMs: stage.forMs, everyMs: [50, 300], kinds, inTurn: true, least: kinds.length });
    await stage.finish();
  },
};

/** A reclaim whose reply is lost has to have taken something: a process dies with messages in its hands, none of them started. */
function loseReclaim(stage: Stage, listening: readonly ListeningConfig[], proxy: TcpProxy, sha: string): FaultKind {
  return () => ({
    what: 'a consumer dies with what it received, lose the replies to its reclaim',
    strike: async () => {
      await stage.victim('victim', listening);
      await stage.wait(LEASE_MS - 200);
      const loss = proxy.dropNextReplyTo(sha, { count: 4 });
      await Promise.race([loss.done, stage.wait(2_000)]);
      loss.stop();
      stage.figures['lost: reclaim'] = Number(stage.figures['lost: reclaim'] ?? 0) + loss.dropped;
    },
  });
}
