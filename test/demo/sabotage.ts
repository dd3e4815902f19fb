// Faults planted behind the application's back, each as a real one would look. An auditor that does not find them is
// no auditor.
import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { Sabotage } from './flags.js';

const LOST_REQUESTS = 5;

/** Every tenth time the stock is not decremented, as by a cache or a replica that missed an update. */
const OVERSELL = `
create sequence demo_sabotage;
create function demo_oversell() returns trigger language plpgsql as $$
begin
  if nextval('demo_sabotage') % 10 = 0 then new.stock := old.stock; end if;
  return new;
end $$;
create trigger demo_oversell before update on sales for each row
  when (new.stock < old.stock) execute function demo_oversell();`;

/** Every third cancellation returns its item a second time, as a time-out handled twice would. */
const DOUBLE_RETURN = `
create sequence demo_sabotage;
create function demo_double_return() returns trigger language plpgsql as $$
begin
  if nextval('demo_sabotage') % 3 = 1 then update sales set stock = stock + 1 where id = new.sale_id; end if;
  return null;
end $$;
create trigger demo_double_return after update on orders for each row
  when (old.status = 'pending' and new.status = 'cancelled') execute function demo_double_return();`;

/** Removes the newest entry of a queue if the group was not given it yet. */
const DROP_UNREAD = `
local queue, group = KEYS[1], ARGV[1]
local newest = redis.call('XREVRANGE', queue, '+', '-', 'COUNT', 1)[1]
if not newest then return 0 end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', queue)) do
  if info[2] == group then
    -- Entries above the last delivered id are unread; XRANGE with "(" starts behind it.
    if #redis.call('XRANGE', queue, '(' .. info[8], newest[1], 'COUNT', 1) == 0 then return 0 end
    return redis.call('XDEL', queue, newest[1])
  end
end
return 0`;

export async function plantInDatabase(sabotage: Sabotage | undefined, sql: Pool): Promise<void> {
  if (sabotage === 'oversell') await sql.query(OVERSELL);
  if (sabotage === 'double-return') await sql.query(DOUBLE_RETURN);
}

/**
 * Lets accepted order requests vanish from the broker, as an eviction or a careless XTRIM would.
 * Goes on until enough are gone or the signal aborts; returns how many are gone.
 */
export async function loseRequests(redis: Redis, namespace: string, signal: AbortSignal): Promise<number> {
  let lost = 0;
  for (let queue = 0; lost < LOST_REQUESTS && !signal.aborted; queue = (queue + 1) % 4) {
    const key = `{${namespace}:order-requests:0}:q:${queue}`;
    lost += Number(await redis.eval(DROP_UNREAD, 1, key, 'ordering').catch(() => 0));
    await wait(1);
  }
  return lost;
}
