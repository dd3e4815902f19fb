import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { RespScanner } from './resp-scanner.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** Executes each RESP request by writing it down, and answers with its number. */
class RecordingServer {
  readonly executed: string[] = [];
  readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      const scanner = new RespScanner();
      let rest = '';
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        rest += chunk.toString();
        const replies = scanner.scan(chunk).map(() => {
          const [request = '', ...others] = rest.split(/(?<=\r\n)(?=\*)/);
          rest = others.join('');
          this.executed.push(request.split('\r\n')[2]!);
          return `:${this.executed.length}\r\n`;
        });
        // One write for all of them: the proxy has to find the reply inside a chunk.
        if (replies.length > 0) socket.write(replies.join(''));
      });
    });
  }

  static async start(): Promise<RecordingServer> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RecordingServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** A client that writes down what it receives. */
class Client {
  received = '';
  /** Resolves when the connection is gone, by end or by reset. */
  readonly gone: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString()));
    socket.on('error', () => {});
    this.gone = closeOf(socket);
  }

  static async to(port: number): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new Client(socket);
  }

  send(...commands: string[]): void {
    this.socket.write(commands.map((name) => `*1\r\n$${name.length}\r\n${name}\r\n`).join(''));
  }

  async ask(command: string): Promise<void> {
    this.send(command);
    await once(this.socket, 'data');
  }
}

/** Like `once(socket, 'close')`, which would reject on the error of a reset. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

describe('TcpProxy', () => {
  let server: RecordingServer;
  let proxy: TcpProxy;
  const clients: Client[] = [];
  const connectTo = async (port: number): Promise<Client> => {
    const client = await Client.to(port);
    clients.push(client);
    return client;
  };
  /** Time in which a proxy that lets bytes pass would have done so many times over. */
  const roundTrips = async (): Promise<void> => {
    const direct = await connectTo(server.port);
    for (let round = 0; round < 50; round++) await direct.ask('DIRECT');
  };
  const executed = (): string[] => server.executed.filter((name) => name !== 'DIRECT');

  beforeEach(async () => {
    server = await RecordingServer.start();
    proxy = await startTcpProxy({ port: server.port });
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.close();
    await server.stop();
  });

  it('passes requests and replies, and counts connections', async () => {
    const [one, two] = [await connectTo(proxy.port), await connectTo(proxy.port)];
    await one.ask('A');
    await two.ask('B');
    expect([one.received, two.received]).toEqual([':1\r\n', ':2\r\n']);
    expect([proxy.connections, proxy.accepted]).toEqual([2, 2]);
  });

  it('holds the server back while the client does not read, and passes a large reply whole', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    const [upstream] = server.sockets;
    client.socket.pause();
    upstream!.end(Buffer.alloc(20_000_000, '+'));
    for (let left = -1; left !== upstream!.writableLength; await roundTrips()) left = upstream!.writableLength;
    expect(upstream!.writableLength).toBeGreaterThan(0);
    client.socket.resume();
    await client.gone;
    expect(client.received).toHaveLength(20_000_000 + 4);
  });

  it('passes the end of either side on', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    const [upstream] = server.sockets;
    const ended = once(upstream!, 'end');
    client.socket.end();
    await ended;
    upstream!.end();
    await client.gone;
    expect(client.received).toBe(':1\r\n');
  });

  it('strands present connections for good, without telling anybody; new ones pass', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    proxy.strand();
    client.send('B');
    const again = await connectTo(proxy.port);
    await again.ask('C');
    await roundTrips();
    expect(executed()).toEqual(['A', 'C']);
    expect([client.received, client.socket.destroyed, proxy.connections]).toEqual([':1\r\n', false, 2]);
  });

  it('drops replies: the server has executed, the client hears nothing and is cut off', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    const loss = proxy.dropReplies({ count: 1 });
    client.send('B');
    await client.gone;
    await loss.done;
    expect(executed()).toEqual(['A', 'B']);
    expect([client.received, loss.dropped]).toEqual([':1\r\n', 1]);
    const again = await connectTo(proxy.port);
    await again.ask('C');
    expect(again.received).toBe(':3\r\n');
  });

  it('drops replies until told that it is enough', async () => {
    const enough = new AbortController();
    const loss = proxy.dropReplies({ until: once(enough.signal, 'abort') });
    for (const command of ['A', 'B', 'C']) {
      const client = await connectTo(proxy.port);
      client.send(command);
      await client.gone;
    }
    enough.abort();
    await loss.done;
    const client = await connectTo(proxy.port);
    await client.ask('D');
    expect([executed(), loss.dropped]).toEqual([['A', 'B', 'C', 'D'], 3]);
  });

  it('drops the reply to one command among pipelined ones: those before it are answered', async () => {
    const loss = proxy.dropNextReplyTo('secret');
    const client = await connectTo(proxy.port);
    client.send('A', 'B', 'SECRET', 'C');
    await client.gone;
    await loss.done;
    expect(executed()).toEqual(['A', 'B', 'SECRET', 'C']);
    expect(client.received).toBe(':1\r\n:2\r\n');
  });

  it('drops the reply of whichever connection the function recognises, as often as asked', async () => {
    const loss = proxy.dropNextReplyTo((request) => request.includes('B'), { count: 2 });
    const other = await connectTo(proxy.port);
    for (let round = 0; round < 2; round++) {
      const client = await connectTo(proxy.port);
      client.send('B');
      await client.gone;
      await other.ask('A');
    }
    await loss.done;
    const client = await connectTo(proxy.port);
    await client.ask('B');
    expect([loss.dropped, executed()]).toEqual([2, ['B', 'A', 'B', 'A', 'B']]);
  });

  it('lets nothing pass through a black hole, tells nobody, and delivers when healed', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    proxy.blackhole();
    client.send('B');
    await roundTrips();
    expect(executed()).toEqual(['A']);
    proxy.pass();
    await once(client.socket, 'data');
    expect(executed()).toEqual(['A', 'B']);
  });

  it('drops what a black hole has held back when the connections are reset', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    proxy.blackhole();
    client.send('B');
    await roundTrips();
    proxy.reset();
    proxy.pass();
    await client.gone;
    await roundTrips();
    expect(executed()).toEqual(['A']);
  });

  it('resets present connections on both sides, and not future ones', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    const [upstream] = server.sockets;
    const lost = closeOf(upstream!);
    proxy.reset();
    await client.gone;
    await lost;
    expect(proxy.connections).toBe(0);
    await (await connectTo(proxy.port)).ask('B');
    expect(executed()).toEqual(['A', 'B']);
  });

  it('delays both directions and keeps the order', async () => {
    const client = await connectTo(proxy.port);
    proxy.delay(40);
    const before = performance.now();
    client.send('A');
    await client.ask('B');
    while (client.received.length < 8) await once(client.socket, 'data');
    // Timers may fire a ms early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(78);
    expect([executed(), client.received]).toEqual([['A', 'B'], ':1\r\n:2\r\n']);
    proxy.delay(0);
    await client.ask('C');
    expect(client.received).toBe(':1\r\n:2\r\n:3\r\n');
  });

  it('half-closes: the client sees the end, its requests still reach the server', async () => {
    const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
    await once(socket, 'connect');
    socket.write('*1\r\n$1\r\nA\r\n');
    await once(socket, 'data');
    const [upstream] = server.sockets;
    const arrived = once(upstream!, 'data');
    proxy.halfClose();
    await once(socket, 'end');
    socket.write('*1\r\n$1\r\nB\r\n');
    await arrived;
    expect(executed()).toEqual(['A', 'B']);
    socket.destroy();
  });

  it('cuts its clients off when the server cannot be reached', async () => {
    await server.stop();
    const client = await connectTo(proxy.port);
    await client.gone;
    expect([proxy.accepted, client.received]).toEqual([1, '']);
    server = await RecordingServer.start();
  });

  it('ends all connections when it closes, and can be closed twice', async () => {
    const client = await connectTo(proxy.port);
    await client.ask('A');
    proxy.blackhole();
    await Promise.all([proxy.close(), proxy.close()]);
    await proxy.close();
    await client.gone;
    await expect(connectTo(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
