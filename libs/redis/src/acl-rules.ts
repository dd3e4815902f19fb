// What the server must allow the user of a connection, and nothing else: docs/security.md.

/** Of every script and call of ours; the spec runs the contract suite as a user with these alone. */
const COMMANDS = [
  'auth hello ping quit info time command|info',
  'client|setname client|list client|unblock eval evalsha script|load wait',
  'exists del unlink get set pexpire pexpireat pexpiretime persist pttl memory|usage',
  'hget hset hsetnx hdel hmget hgetall hkeys hexists hincrby hlen hstrlen hrandfield',
  'zadd zrem zscore zcard zcount zrange zrangebyscore zrevrange zremrangebyscore',
  'zrangebylex zlexcount',
  'xadd xlen xrange xrevrange xtrim xread xreadgroup xack xclaim xpending',
  'xinfo|groups xinfo|stream xinfo|consumers',
  'xgroup|create xgroup|setid xgroup|destroy xgroup|delconsumer',
].flatMap((line) => line.split(' '));

/**
 * Rules for `ACL SETUSER`, besides name and password: the commands Millrace uses, on the keys of the namespace. Where
 * they exist and are wanted, add `+waitaof` (Redis 7.2: durability `fsync`), `+config|get` (start-up checks) and, in a
 * Cluster, `+cluster|slots` and `+cluster|nodes`.
 */
export function aclRules(namespace = 'mq'): string[] {
  return ['resetchannels', `~{${namespace}:*`, '-@all', ...COMMANDS.map((command) => `+${command}`)];
}
