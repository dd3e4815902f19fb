// One operation at a time per group: the right to run, held in Redis while it is renewed.
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

const SCRIPTS = { 'take-turn': 'millraceTakeTurn', 'leave-turn': 'millraceLeaveTurn' } as const;
type ScriptCall = (key: string, ...args: (string | number)[]) => Promise<unknown>;

export function defineTurnScripts(client: Redis): void {
  for (const [file, name] of Object.entries(SCRIPTS))
    client.defineCommand(name, {
      numberOfKeys: 1,
      lua: readFileSync(new URL(`../lua/${file}.lua`, import.meta.url), 'utf8'),
    });
}

export class Turn {
  /** @param runner names this run: an earlier one of the same operation must notice that it is too late */
  constructor(
    private readonly client: Redis,
    private readonly key: string,
    private readonly operation: string,
    private readonly runner: string,
    private readonly lifeMs: number,
  ) {}

  /** False while another operation of the group has it. */
  take(): Promise<boolean> {
    return this.ask('take');
  }

  /** False when it was taken over, or ran out while this process was frozen. */
  keep(): Promise<boolean> {
    return this.ask('keep');
  }

  async leave(): Promise<void> {
    await this.call('leave-turn');
  }

  private async ask(how: 'take' | 'keep'): Promise<boolean> {
    return (await this.call('take-turn', this.lifeMs, how)) === 'OURS';
  }

  private call(script: keyof typeof SCRIPTS, ...args: (string | number)[]): Promise<unknown> {
    const calls = this.client as unknown as Record<string, ScriptCall>;
    return calls[SCRIPTS[script]]!(this.key, this.operation, this.runner, ...args);
  }
}
