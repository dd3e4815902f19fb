// A process that runs operations until it is killed. Argument: namespace. From the environment: REDIS_URL.
import { Mq } from '@millrace/core';
import { Operations } from '@millrace/operations';
import { connectRedis } from '@millrace/redis';

const [namespace] = process.argv.slice(2);
const connection = process.env.REDIS_URL!;
const mq = new Mq(connectRedis({ connection, namespace }));
new Operations({ connection, namespace, takeover: '1s' }, { admin: mq.admin }).start();
