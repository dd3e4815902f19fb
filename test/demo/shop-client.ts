// The shop as a browser sees it: real HTTP over kept-alive connections, and nothing else of the application.
import { Agent, request } from 'node:http';

export interface Answer<T = Record<string, unknown>> {
  status: number;
  body: T;
}

export class ShopClient {
  private readonly agent: Agent;

  /** @param sockets requests in flight at most; the others queue here, in order */
  constructor(
    private readonly baseUrl: string,
    sockets: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  /** Resolves with every answer, refusals too; rejects only when there was none. */
  send<T = Record<string, unknown>>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer<T>> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const call = request(`${this.baseUrl}${path}`, { method, agent: this.agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const content = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: (content === '' ? {} : JSON.parse(content)) as T });
        });
      });
      call.on('error', reject);
      call.end(text);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
