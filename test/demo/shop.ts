// The application as a run has it: one web process, two consumers, each a real process.
import { freePort } from '@millrace/testing/servers';
import { AppProcess } from './app-process.js';
import type { Surroundings } from './surroundings.js';

export interface Shop {
  url: string;
  processes: AppProcess[];
  /** The consumer that is killed and comes back. */
  victim: AppProcess;
  stop(): Promise<void>;
}

export async function startShop(
  surroundings: Surroundings,
  timeoutMs: number,
  onCrash: (error: Error) => void,
): Promise<Shop> {
  const port = await freePort();
  const env = {
    PORT: String(port),
    REDIS_URL: surroundings.redisUrl,
    DATABASE_URL: surroundings.databaseUrl,
    NAMESPACE: surroundings.namespace,
    PAYMENT_WINDOW: `${timeoutMs}ms`,
  };
  const web = new AppProcess('web', { ...env, ROLE: 'web' }, onCrash);
  const consumers = [1, 2].map((number) => new AppProcess(`consumer ${number}`, { ...env, ROLE: 'consumer' }, onCrash));
  const processes = [web, ...consumers];
  const stop = async (): Promise<void> => void (await Promise.all(processes.map((process) => process.stop())));
  try {
    await Promise.all(processes.map((process) => process.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, processes, victim: consumers[1]!, stop };
}
