// The only caller of `defineCommand`: name → Lua file. One intent has one name, from the port to the file.
import { readFileSync } from 'node:fs';
import type { Cluster, Redis, RedisCommander } from 'ioredis';
import { absentKey } from './keys.js';
import { virtualPrelude, type VirtualClock } from './virtual/virtual-time.js';

/** Which shared preludes a script needs, put before its text. */
const SCRIPTS = {
  'declare-topic': [],
  'declare-group': ['always', 'clock', 'tags'],
  'register-tags': ['clock', 'tags'],
  beat: ['clock', 'tags', 'group-state'],
  'read-group': ['clock', 'group-state'],
  'leave-control': [],
  'book-starts': ['clock'],
  'hold-slots': ['clock'],
  'find-idle': ['always', 'clock', 'token'],
  'expire-group': ['clock'],
  'set-order': ['clock'],
  send: ['clock', 'token', 'record', 'entry', 'unbounded'],
  // The same text for topics with maxLength: others pay nothing for it.
  'send-bounded': ['clock', 'token', 'record', 'entry', 'ids', 'groups', 'backlog', 'parked', 'bounded'],
  'prepare-half': ['clock', 'token', 'record'],
  'commit-half': ['always', 'clock', 'token', 'record', 'record-key', 'half', 'entry'],
  'rollback-half': ['always', 'clock', 'token', 'record', 'record-key', 'half'],
  'next-check': ['clock'],
  'take-checks': ['always', 'clock', 'token', 'half'],
  'read-half': ['clock', 'half'],
  'resume-half': ['always', 'clock', 'token', 'half'],
  cancel: ['clock', 'token', 'record', 'record-key'],
  reschedule: ['clock', 'token', 'record', 'record-key'],
  promote: ['clock', 'entry'],
  'mark-started': ['always', 'ids', 'marks'],
  'note-started': ['always', 'owner', 'parked', 'held'],
  ack: ['always', 'clock', 'token', 'ids', 'owner', 'marks'],
  settle: ['always', 'clock', 'token', 'owner', 'tags', 'letters', 'parked', 'held', 'entry'],
  renew: ['owner', 'parked', 'held'],
  reclaim: ['clock', 'ids'],
  'lease-queue': ['always', 'clock'],
  'release-queue': ['always', 'owner'],
  'join-group': ['clock'],
  'leave-group': [],
  'read-ordered': ['clock', 'ids', 'owner', 'entry', 'parked', 'held', 'pages', 'reading'],
  'wake-parked': ['always', 'clock', 'parked'],
  'list-parked-keys': ['clock', 'parked'],
  'count-parked': ['clock', 'parked'],
  'resume-key': ['clock', 'token', 'parked'],
  'skip-key': ['clock', 'token', 'letters', 'parked'],
  'stream-position': [],
  'put-back': ['clock', 'token', 'entry', 'parked'],
  'pass-over': ['clock', 'token', 'ids', 'backlog', 'parked'],
  trim: ['clock', 'ids', 'groups'],
  'forget-consumers': [],
  redrive: ['clock', 'token', 'entry'],
  'list-dead-letters': ['ranks'],
  'read-dead-letter': [],
  'edit-dead-letter': ['clock', 'token'],
  'purge-dead-letters': ['clock', 'token'],
  'expire-dead-letters': ['clock'],
  'take-dead-letters': ['clock'],
  'tell-dead-letter': ['clock'],
  'claim-once': ['always', 'clock', 'record', 'once'],
  'renew-once': ['always', 'clock', 'record', 'once'],
  'complete-once': ['always', 'clock', 'record', 'once'],
  'release-once': ['clock', 'record', 'once'],
  'note-replay': ['clock'],
  'open-broadcast': ['clock', 'ids', 'stream'],
  'read-broadcast': ['clock', 'ids', 'stream'],
  'keep-broadcast': [],
  'list-scheduled': ['ranks'],
  'count-scheduled': [],
  'read-scheduled': ['clock', 'record'],
  'order-schedule': ['clock', 'token', 'schedule'],
  'read-schedules': ['clock'],
  'read-schedule-content': [],
  'plan-tick': ['schedule'],
  'mark-tick': ['schedule'],
  'settle-drop': ['clock', 'schedule'],
} as const;

export type ScriptName = keyof typeof SCRIPTS;
export type ScriptArgument = string | number | Buffer;

/** Scripts whose text is another one's. */
const FILES: Partial<Record<ScriptName, string>> = { 'send-bounded': 'send' };

const lua = (path: string): string => readFileSync(new URL(`../lua/${path}.lua`, import.meta.url), 'utf8');

const texts = new Map<ScriptName, string>(
  (Object.keys(SCRIPTS) as ScriptName[]).map((name) => [
    name,
    [...SCRIPTS[name].map((prelude) => lua(`shared/${prelude}`)), lua(FILES[name] ?? name)].join('\n'),
  ]),
);

/** The text of a script as the server gets it. */
export function scriptText(name: ScriptName): string {
  return texts.get(name)!;
}

/**
 * While a slot moves between nodes of a Cluster key by key, a script would run where its declared keys are, and fail in
 * the middle at a key that it works out, or that it has just emptied. One more declared key that never exists makes the
 * server refuse the whole call (TRYAGAIN) until the slot has moved. It is taken off before the script looks at KEYS.
 */
const TAKE_OFF_GUARD = 'KEYS[#KEYS] = nil\n';

/** What every call of a client has behind its own keys and arguments. */
interface Appendix {
  keys(first: string): readonly string[];
  args(): readonly ScriptArgument[];
}
const appendices = new WeakMap<object, Appendix>();

/** Teaches a client all scripts. Static text only: what users give goes in as arguments. */
export function defineScripts(client: Redis | Cluster, inCluster: boolean, virtual?: VirtualClock): void {
  if (inCluster) appendices.set(client, { keys: (first) => [absentKey(first)], args: () => [] });
  if (virtual) appendices.set(client, { keys: () => [virtual.key], args: () => [virtual.now()] });
  const before = virtual ? virtualPrelude() : inCluster ? TAKE_OFF_GUARD : '';
  for (const [name, text] of texts) client.defineCommand(name, { lua: before + text });
}

type ScriptCall = (keyCount: number, ...rest: ScriptArgument[]) => Promise<unknown>;

/** Runs a script; strings in the reply. */
export function runScript(
  client: RedisCommander,
  name: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  return call(client, name, keys, args);
}

/** Runs a script; Buffers in the reply, for scripts that return message bodies. */
export function runScriptBuffer(
  client: RedisCommander,
  name: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  return call(client, `${name}Buffer`, keys, args);
}

function call(
  client: RedisCommander,
  command: string,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  const run = (client as unknown as Record<string, ScriptCall>)[command]!.bind(client);
  const more = appendices.get(client);
  if (!more) return run(keys.length, ...keys, ...args);
  const allKeys = [...keys, ...more.keys(keys[0]!)];
  return run(allKeys.length, ...allKeys, ...args, ...more.args());
}
