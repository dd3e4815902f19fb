// T12: an application that writes business and messages in one transaction, relays, consumers with the inbox. Apps and
// relays die by kill -9 at every step, one after the other; in the middle Redis is away for a while.
import { BUSINESS, type SqlKind } from '../database/tables.js';
import { APP_DEATHS, RELAY_DEATHS, type Death } from '../member/member-config.js';
import { Crew } from '../outbox/crew.js';
import { noteCommits, rowsIn, tableTruth } from '../outbox/tables.js';
import type { Scenario } from '../scenario.js';
import type { FaultKind } from '../stage/nemesis.js';
import type { Stage } from '../stage/stage.js';
import { concurrent, ordered } from '../traffic.js';

const FULL = { kills: 200, redisAwayMs: 60_000 };
const SHORT = { kills: 8, redisAwayMs: 2_000 };
/** Who does not come by that step in this time (Redis is away, say) is killed wherever it is. */
const PATIENCE_MS = 1_500;
/** So many processes take their time to start: the run is as long as its kills, and this only says when it hangs. */
const TIME_FACTOR = 40;

export const outboxKills: Scenario = outboxOn('postgres', 'T12', 'PostgreSQL');

export const outboxKillsMariaDb: Scenario = outboxOn('mariadb', 'T12M', 'MariaDB');

function outboxOn(kind: SqlKind, id: string, product: string): Scenario {
  return {
    id,
    title: `kill -9 of apps and relays at every step of the outbox, Redis away in the middle (${product})`,
    timeFactor: TIME_FACTOR,
    run: async (stage) => {
      const { kills, redisAwayMs } = stage.options.isQuick ? SHORT : FULL;
      await Promise.all([stage.startRedis('--appendonly', 'yes', '--appendfsync', 'always'), stage.startSql(kind)]);
      await stage.sql(BUSINESS(kind));
      // No consumer dies here: leases that expire on a busy machine would only be noise.
      const calm = { inbox: true, lease: '15s' };
      const listening = [concurrent(0, calm), ordered(1, calm)];
      stage.rules = { groups: stage.groups(listening) };
      for (const name of ['consumer 1', 'consumer 2']) await stage.consumer(name, listening);
      const business = { keys: 30, rollbackShare: 0.2 };
      const app = { perSecond: 20, keys: 0, delayShare: 0.1, maxDelayMs: 1_500, business, maxInFlight: 8 };
      const apps = await Crew.of(stage, ['app 1', 'app 2', 'app 3'], (name) => stage.producer(name, app));
      const relays = await Crew.of(stage, ['relay 1', 'relay 2', 'relay 3'], (name) => stage.relay(name));

      let struck = 0;
      let outage: Promise<void> | undefined;
      const onStrike = (): void => {
        if (++struck * 2 >= kills) outage ??= redisAway(stage, redisAwayMs);
      };
      const kinds = [
        ...APP_DEATHS.map((step) => dieAt(stage, apps, step, onStrike)),
        ...RELAY_DEATHS.map((step) => dieAt(stage, relays, step, onStrike)),
      ];
      await stage.nemesis({ forMs: 0, everyMs: [20, 100], kinds, inTurn: true, least: kills });
      await outage;
      stage.faults++;
      await Promise.all([apps.complete(), relays.complete()]);
      await stage.stopProducers();
      await stage.until('the outbox is empty', 60_000, async () => (await rowsIn(stage, 'mq_outbox')) === 0);
      await noteCommits(stage);
      await stage.finish({ drainWithinMs: 60_000 });
      stage.problems.push(...(await tableTruth(stage, stage.rules.groups)));
    },
  };
}

/** It kills itself at that step, the first to the fourth time it comes by; another one starts in its place. */
function dieAt(stage: Stage, crew: Crew, step: Death, onStrike: () => void): FaultKind {
  return (prng) => {
    const place = prng.int(0, crew.size - 1);
    const passes = prng.int(1, 4);
    return {
      what: `${crew.name(place)} ${step}`,
      strike: async () => {
        const member = await crew.member(place);
        member.dieAt(step, passes);
        const byItself = member.gone.then(() => step);
        const how = await Promise.race([byItself, stage.wait(PATIENCE_MS).then(() => 'anywhere')]);
        await member.kill();
        crew.replace(place, member);
        stage.figures[`killed ${how}`] = Number(stage.figures[`killed ${how}`] ?? 0) + 1;
        onStrike();
      },
    };
  };
}

/** Apps must not notice: they go on committing. */
async function redisAway(stage: Stage, ms: number): Promise<void> {
  const before = await rowsIn(stage, 'business');
  await stage.redis.kill();
  await stage.wait(ms);
  const meanwhile = (await rowsIn(stage, 'business')) - before;
  await stage.redis.restart();
  stage.figures['Redis away ms'] = ms;
  stage.figures['committed meanwhile'] = meanwhile;
  if (meanwhile === 0 && !stage.options.isQuick) stage.problems.push('nothing was committed while Redis was away');
}
