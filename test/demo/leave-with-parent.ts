// Loaded before the application in each of its processes: should the demo be killed, its processes must not stay behind.
// The channel to the demo closes with it, however it ends.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
