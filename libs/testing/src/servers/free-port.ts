import { createServer } from 'node:net';

/**
 * A loopback TCP port nobody listens on at the moment. Another process may take it before the caller does, so a
 * launcher that loses that race asks again.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('the probe socket has no port'));
      });
    });
  });
}
