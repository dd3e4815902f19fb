import { randomBytes } from 'node:crypto';
import { describeVirtualTime } from '../test/virtual-time.cases.js';

const connection = process.env['REDIS_URL']!;

describeVirtualTime('Redis', () => ({ connection, namespace: `time-${randomBytes(6).toString('hex')}` }));
