// One process of the application: started, killed, restarted and stopped by its id.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../app/main.js', import.meta.url));
const LEAVE_WITH_PARENT = new URL('./leave-with-parent.js', import.meta.url).href;
const START_MS = 30_000;
/** Above the 30 s for which the application waits for running handlers there is no reason to wait. */
const STOP_MS = 35_000;
const OUTPUT_KEPT = 8_192;

export class AppProcess {
  private child: ChildProcess | undefined;
  private output = '';
  private expectedToEnd = false;

  constructor(
    readonly name: string,
    private readonly env: NodeJS.ProcessEnv,
    /** Told when the process ends although nobody asked it to. */
    private readonly onCrash: (error: Error) => void,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when the application says that it is ready. */
  async start(): Promise<void> {
    this.expectedToEnd = false;
    // A group of its own: Ctrl-C is for the demo, which then stops everything in good order.
    const child = spawn(process.execPath, ['--enable-source-maps', '--import', LEAVE_WITH_PARENT, MAIN], {
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-OUTPUT_KEPT)));
    }
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (this.child === child) this.child = undefined;
        const error = new Error(`${this.name} ended with ${signal ?? code}\n${this.output}`);
        reject(error);
        if (!this.expectedToEnd) this.onCrash(error);
      });
    });
    ended.catch(() => undefined);
    const ready = once(child, 'message', { signal: AbortSignal.timeout(START_MS) });
    await Promise.race([ready, ended]).catch((error: unknown) => {
      throw new Error(`${this.name} did not start\n${this.output}`, { cause: error });
    });
  }

  /** SIGKILL: no handler finishes, nothing is handed back. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** SIGTERM, and SIGKILL for who does not listen. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.expectedToEnd = true;
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone.finally(() => clearTimeout(timer));
  }
}
