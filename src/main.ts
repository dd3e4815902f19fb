// One program, three roles: ROLE=web answers HTTP, ROLE=consumer handles messages, ROLE=all (the default) does both.
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { Settings } from './settings.js';

const settings = Settings.fromEnvironment(process.env);
const module = AppModule.with(settings);

if (settings.role === 'consumer') {
  const app = await NestFactory.createApplicationContext(module, { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
} else {
  const app = await NestFactory.create(module, { logger: ['warn', 'error'] });
  app.enableShutdownHooks();
  await app.listen(settings.port, settings.host);
  console.log(`the shop listens on ${await app.getUrl()}`);
}
// Who started us with an IPC channel (the demo, a process manager) learns here that work can come.
process.send?.('ready');
