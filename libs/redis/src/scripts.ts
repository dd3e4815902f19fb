// The only caller of `defineCommand`: name → Lua file. One intent has one name, from the port to the file.
import { readFileSync } from 'node:fs';
import type { Redis, RedisCommander } from 'ioredis';

/** Which shared preludes a script needs, put before its text. */
const SCRIPTS = {
  'declare-topic': [],
  'declare-group': [],
  send: ['clock', 'token', 'unbounded'],
  // The same text for topics with maxLength: others pay nothing for it.
  'send-bounded': ['clock', 'token', 'ids', 'backlog', 'bounded'],
  cancel: ['token'],
  reschedule: ['clock', 'token'],
  promote: ['clock'],
  'mark-started': ['ids', 'owner'],
  settle: ['clock', 'token', 'owner'],
  renew: ['owner'],
  reclaim: ['clock', 'ids'],
  'lease-queue': ['clock'],
  'release-queue': ['owner'],
  'join-group': ['clock'],
  'leave-group': [],
  'read-ordered': ['clock', 'owner'],
  trim: ['clock', 'ids'],
  'forget-consumers': [],
  redrive: ['token'],
  'list-dead-letters': [],
  'read-dead-letter': [],
  'edit-dead-letter': ['token'],
  'purge-dead-letters': ['token'],
  'expire-dead-letters': ['clock'],
  'take-dead-letters': ['clock'],
  'tell-dead-letter': ['clock'],
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

/** Teaches a client all scripts. Static text only: what users give goes in as arguments. */
export function defineScripts(client: Redis): void {
  for (const [name, text] of texts) client.defineCommand(name, { lua: text });
}

type ScriptCall = (keyCount: number, ...rest: ScriptArgument[]) => Promise<unknown>;

/** Runs a script; strings in the reply. */
export function runScript(
  client: RedisCommander,
  name: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  return (client as unknown as Record<string, ScriptCall>)[name]!(keys.length, ...keys, ...args);
}

/** Runs a script; Buffers in the reply, for scripts that return message bodies. */
export function runScriptBuffer(
  client: RedisCommander,
  name: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<unknown> {
  return (client as unknown as Record<string, ScriptCall>)[`${name}Buffer`]!(keys.length, ...keys, ...args);
}
