// One process of a run, as its parent sees it: started, ordered about, frozen, thawed, killed and stopped by its id.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Death, MemberConfig, Order, Report } from '../member/member-config.js';

const PROGRAM = fileURLToPath(new URL('../member/main.js', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 45_000;
const OUTPUT_KEPT = 8_192;

let deathSignal: readonly string[] | undefined;

/** Even a frozen process dies with its parent, where the kernel can be asked for it. */
function withDeathSignal(): readonly string[] {
  if (deathSignal) return deathSignal;
  try {
    execFileSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' });
    deathSignal = ['setpriv', '--pdeathsig', 'KILL'];
  } catch {
    deathSignal = [];
  }
  return deathSignal;
}

export class MemberProcess {
  /** Resolves when it is gone, however it went. */
  readonly gone: Promise<void>;
  /** Rejections of its end that nobody asked for. */
  unexpectedEnd: string | undefined;
  isGone = false;
  isFrozen = false;
  private readonly child: ChildProcess;
  private output = '';
  private isDoomed = false;

  constructor(
    readonly config: MemberConfig,
    onGone: () => void,
  ) {
    const node = [process.execPath, '--enable-source-maps', PROGRAM, JSON.stringify(config)];
    const [command = '', ...args] = [...withDeathSignal(), ...node];
    // A group of its own: Ctrl-C is for the run, which then ends everything.
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-OUTPUT_KEPT)));
    this.gone = new Promise((resolve) => {
      const end = (how: string): void => {
        if (this.isGone) return;
        this.isGone = true;
        if (!this.isDoomed) this.unexpectedEnd = `${this.name} ended with ${how}\n${this.output}`;
        onGone();
        resolve();
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(String(signal ?? code)));
    });
  }

  get name(): string {
    return this.config.name;
  }

  get pid(): number {
    return this.child.pid!;
  }

  async ready(): Promise<this> {
    const over = new AbortController();
    const ready = once(this.child, 'message', {
      signal: AbortSignal.any([over.signal, AbortSignal.timeout(START_MS)]),
    });
    const first = await Promise.race([ready, this.gone]).finally(() => over.abort());
    if (!first) throw new Error(`${this.name} did not start\n${this.output}`);
    return this;
  }

  /** SIGKILL; also of a frozen process. */
  async kill(): Promise<void> {
    this.isDoomed = true;
    if (!this.isGone) this.child.kill('SIGKILL');
    await this.gone;
  }

  /** It may end by its own hand from now on; the run does not take that for a crash. */
  doom(): void {
    this.isDoomed = true;
  }

  dieAt(point: Death, passes?: number): void {
    this.isDoomed = true;
    this.order({ do: 'die', at: point, passes });
  }

  freeze(): void {
    this.isFrozen = this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
    this.isFrozen = false;
  }

  /** Sent its total. */
  async finished(timeoutMs: number): Promise<void> {
    await this.heard('finished', timeoutMs);
  }

  async health(): Promise<(Report & { is: 'health' }) | undefined> {
    if (this.isGone) return undefined;
    const answer = this.heard('health', 5_000);
    this.order({ do: 'report' });
    return answer.catch(() => undefined) as Promise<(Report & { is: 'health' }) | undefined>;
  }

  /** In good order. Undefined when it ended without a last word. */
  async stop(): Promise<(Report & { is: 'stopped' }) | undefined> {
    if (this.isGone) return undefined;
    const answer = this.heard('stopped', STOP_MS);
    this.order({ do: 'stop' });
    const report = await answer.catch(() => undefined);
    this.isDoomed ||= report !== undefined;
    if (!report) await this.kill();
    await this.gone;
    return report as (Report & { is: 'stopped' }) | undefined;
  }

  private order(order: Order): void {
    // A process that is just dying does not take orders any more.
    if (this.child.connected) this.child.send(order, () => undefined);
  }

  private heard(what: Report['is'], timeoutMs: number): Promise<Report> {
    return new Promise((resolve, reject) => {
      const over = setTimeout(() => reject(new Error(`${this.name} did not say '${what}' in time`)), timeoutMs);
      const settle = (): void => {
        clearTimeout(over);
        this.child.off('message', listen);
      };
      const listen = (report: Report): void => {
        if (report.is !== what) return;
        settle();
        resolve(report);
      };
      this.child.on('message', listen);
      void this.gone.then(() => {
        settle();
        reject(new Error(`${this.name} is gone`));
      });
    });
  }
}
