import { describe, expect, it } from '@jest/globals';
import type { PeerServer } from './peer-server.js';
import { PeerServers, QUICK_START } from './peer-servers.js';

function fake(log: string[], name: string): PeerServer {
  return {
    name,
    url: '',
    settings: '',
    pause: () => void log.push(`${name} paused`),
    resume: () => void log.push(`${name} resumed`),
    stop: async () => void log.push(`${name} stopped`),
  };
}

describe('the servers of peers', () => {
  it('are started when they are asked for, once, and told of once', async () => {
    const log: string[] = [];
    const starters = {
      nats: async (download: boolean) => {
        log.push(`start, download ${download}`);
        return fake(log, 'nats');
      },
      rabbitMq: () => Promise.reject(new Error('nobody asked for it')),
    };
    const servers = new PeerServers(true, ({ name }) => void log.push(`told of ${name}`), starters);
    const [first, second] = await Promise.all([servers.get('nats'), servers.get('nats')]);
    expect(first).toBe(second);
    expect(log).toEqual(['start, download true', 'told of nats', 'nats resumed', 'nats resumed']);
  });

  it('that cannot be had are tried once, and say the same reason each time', async () => {
    let tried = 0;
    const rabbitMq = (): Promise<PeerServer> => {
      tried++;
      return Promise.reject(new Error('no package'));
    };
    const servers = new PeerServers(false, undefined, { nats: rabbitMq, rabbitMq });
    await expect(servers.get('rabbitMq')).rejects.toThrow('no package');
    await expect(servers.get('rabbitMq')).rejects.toThrow('no package');
    expect(tried).toBe(1);
  });

  it('leave RabbitMQ out of a quick run, and say so', async () => {
    const servers = new PeerServers(false, undefined, QUICK_START);
    await expect(servers.get('rabbitMq')).rejects.toThrow('takes too long to start for a quick run');
  });

  it('are all stopped, whatever became of the others', async () => {
    const log: string[] = [];
    const starters = {
      nats: () => Promise.reject(new Error('no package')),
      rabbitMq: async () => fake(log, 'rabbitmq'),
    };
    const servers = new PeerServers(false, undefined, starters);
    await expect(servers.get('nats')).rejects.toThrow('no package');
    await servers.get('rabbitMq');
    await servers.stop();
    expect(log.at(-1)).toBe('rabbitmq stopped');
  });
});
