// The course of a run, from the first click to the verdict.
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { audit } from './auditor.js';
import { gatherEvidence } from './evidence.js';
import { correctAndRedrive, readDeadNotifications } from './dead-notifications.js';
import type { DemoFlags } from './flags.js';
import { makeReport, printReport, type Report } from './report.js';
import { type Run, withRun } from './run.js';
import { loseRequests } from './sabotage.js';
import { serve } from './serve.js';
import { atRest } from './snapshot.js';

const SALES = ['lamp', 'chair'];
const CLOSED_SALE = 'last-week';
const DOORS_OPEN_IN_MS = 1000;
const EARLY_BIRDS = 20;
/** Rounds in which those who were turned away come back for what was returned. */
const SECOND_CHANCES = 8;

/** Rejects when the demo itself fails or is stopped; a broken invariant is a result. */
export function flashSale(flags: DemoFlags, stop: AbortSignal): Promise<Report> {
  return withRun(flags, stop, async (run) => {
    await openSales(run);
    const leasedAtKill = await rush(run);
    await secondChances(run);
    await run.waitUntil(atRest);

    const dead = await readDeadNotifications(run.surroundings);
    if (dead.length > 0)
      run.progress.say(`dead letters of the notifications: ${dead.length}; correcting the addresses, then redrive`);
    const redriven = await correctAndRedrive(run.surroundings, run.client, dead);
    await run.waitUntil(atRest);

    const evidence = await gatherEvidence({
      ...run.surroundings,
      ledger: run.ledger,
      timeoutMs: flags.timeoutMs,
      waiting: waiting(run),
    });
    run.progress.clear();
    const retriesOfDead = dead.reduce((sum, { attempts }) => sum + attempts - 1, 0);
    const facts = { seconds: run.progress.seconds, leasedAtKill, dead: dead.length, retriesOfDead, redriven };
    const report = makeReport(flags, run.ledger, evidence, facts, audit(evidence));
    printReport(report);
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
    if (flags.serve) await serve(run);
    return report;
  });
}

/** Two sales about to begin and one that is over; and those who come too early or too late. */
async function openSales({ flags, client, crowd, progress, signal }: Run): Promise<void> {
  const startsAt = new Date(Date.now() + DOORS_OPEN_IN_MS);
  const half = Math.ceil(flags.stock / 2);
  const sales = [
    { id: SALES[0], stock: half, startsAt },
    { id: SALES[1], stock: flags.stock - half, startsAt },
    { id: CLOSED_SALE, stock: 10, startsAt: new Date(0), endsAt: new Date(1) },
  ];
  for (const sale of sales) {
    const { status, body } = await client.send('POST', '/sales', sale);
    if (status !== 201) throw new Error(`the sale ${sale.id} could not be opened: ${status} ${JSON.stringify(body)}`);
  }
  await Promise.all(
    range(EARLY_BIRDS).flatMap((n) => [...SALES, CLOSED_SALE].map((sale) => crowd.click(`buyer-${n}`, sale))),
  );
  await wait(startsAt.getTime() - Date.now(), undefined, { signal });
  progress.say(`doors open: ${flags.buyers} buyers for ${flags.stock} items in ${SALES.length} sales`);
}

/** Everyone comes at once; in the middle of it a consumer dies. Returns how many messages were leased at that moment. */
async function rush(run: Run): Promise<number> {
  const { flags, crowd, surroundings, signal, progress, ledger } = run;
  let over = false;
  const ended = new AbortController();
  const crowded = crowd.rush(range(flags.buyers), SALES).finally(() => {
    over = true;
    ended.abort();
  });
  const robbed =
    flags.sabotage === 'lose'
      ? loseRequests(surroundings.redis, surroundings.namespace, AbortSignal.any([ended.signal, signal]))
      : undefined;
  const [leasedAtKill] = await Promise.all([killInTheMiddle(run, () => over), crowded]);
  if ((await robbed) === 0)
    throw new Error('--sabotage lose: the queue was never long enough to lose a request from it');
  // The unpaid orders go when their time is over.
  await run.waitUntil(({ pending, scheduled, ready, leased }) => pending + scheduled + ready + leased === 0);
  progress.say(`the rush is over: ${ledger.requests} requests, ${ledger.paid.size} payments confirmed`);
  return leasedAtKill;
}

async function killInTheMiddle({ flags, shop, progress, waitUntil }: Run, over: () => boolean): Promise<number> {
  const aQuarter = Math.ceil(Math.min(flags.stock, flags.buyers * SALES.length) / 4);
  let leasedAtKill = 0;
  await waitUntil(({ decided, leased }) => {
    leasedAtKill = leased;
    return over() || (decided >= aQuarter && leased > 0);
  });
  const { victim } = shop;
  const pid = victim.pid;
  await victim.kill();
  progress.say(`killed ${victim.name} (process ${pid}, SIGKILL) while ${leasedAtKill} messages were leased`);
  await victim.start();
  progress.say(`${victim.name} is back as process ${victim.pid}`);
  await waitUntil(over, Infinity);
  return leasedAtKill;
}

/** What timed-out orders gave back is for those who were turned away. They come until nothing is left, and pay. */
async function secondChances(run: Run): Promise<void> {
  for (let round = 1; round <= SECOND_CHANCES; round++) {
    const stock = await run.surroundings.sql.query<{ id: string; stock: number }>(
      'select id, stock from sales where id = any($1) and stock > 0',
      [SALES],
    );
    const comers = stock.rows.map((sale) => ({ ...sale, buyers: turnedAway(run, sale.id).slice(0, 2 * sale.stock) }));
    if (comers.every(({ buyers }) => buyers.length === 0)) return;
    run.progress.say(
      `second chance ${round}: ${comers.map(({ id, stock: items }) => `${items} × ${id}`).join(' and ')} came back`,
    );
    await Promise.all(comers.map(({ id, buyers }) => run.crowd.rush(buyers, [id], { intent: 'pays', clicks: 1 })));
    await run.waitUntil(({ pending, scheduled, ready, leased }) => pending + scheduled + ready + leased === 0);
  }
}

/** Buyers who were never given a ticket in this sale. */
function turnedAway({ flags, ledger }: Run, saleId: string): number[] {
  return range(flags.buyers).filter((number) => !ledger.hasTicket(saleId, `buyer-${number}`));
}

function waiting(run: Run): Map<string, number> {
  return new Map(SALES.map((saleId) => [saleId, turnedAway(run, saleId).length]));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
