// How the server knows a script: what a call of it looks like on the wire. A look inside the library, on purpose.
import { createHash } from 'node:crypto';

interface ScriptTexts {
  scriptText(this: void, name: string): string;
}

export async function scriptSha(name: string): Promise<string> {
  const inside = new URL('./scripts.js', import.meta.resolve('@millrace/redis')).href;
  const { scriptText } = (await import(inside)) as ScriptTexts;
  return createHash('sha1').update(scriptText(name)).digest('hex');
}
