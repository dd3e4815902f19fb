// Who may import whom. An arrow chain: core ← redis ← nestjs ← transactional, operations; testing → core, nestjs, redis.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAY_IMPORT = {
  core: [],
  redis: ['core'],
  nestjs: ['core', 'redis'],
  transactional: ['core', 'nestjs', 'redis'],
  operations: ['core', 'nestjs', 'redis'],
  testing: ['core', 'nestjs', 'redis'],
};
const ENTRY_POINTS = '^libs/[^/]+/src/(index|typeorm|pg|mysql2|knex|drizzle|servers/index|contract/index)\\.ts$';
// Specs, and what only specs of a library share.
const SPEC = '(\\.spec\\.ts$|^libs/[^/]+/test/)';

// A row missing here, or a package.json that disagrees with its row, would leave a library unchecked.
for (const lib of readdirSync(join(import.meta.dirname, 'libs'))) {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, 'libs', lib, 'package.json'), 'utf8'));
  if (!MAY_IMPORT[lib]) throw new Error(`libs/${lib} has no row in MAY_IMPORT of .dependency-cruiser.mjs`);
  for (const name of Object.keys(manifest.dependencies ?? {}).filter((other) => other.startsWith('@millrace/'))) {
    if (!MAY_IMPORT[lib].includes(name.slice('@millrace/'.length))) {
      throw new Error(`libs/${lib}/package.json depends on ${name}, which MAY_IMPORT forbids`);
    }
  }
}

const others = (lib) => Object.keys(MAY_IMPORT).filter((name) => name !== lib && !MAY_IMPORT[lib].includes(name));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.keys(MAY_IMPORT).map((lib) => ({
      name: `direction-${lib}`,
      comment: `libs/${lib} may import ${MAY_IMPORT[lib].join(', ') || 'no other library'}; its specs may use testing too`,
      severity: 'error',
      from: { path: `^libs/${lib}/`, pathNot: SPEC },
      to: { path: `^libs/(${others(lib).join('|')})/` },
    })),
    {
      name: 'spec-direction',
      comment: 'a spec may import what its library may, and testing',
      severity: 'error',
      from: { path: '^libs/core/.*\\.spec\\.ts$' },
      to: { path: '^libs/(redis|nestjs|transactional|operations)/' },
    },
    {
      name: 'core-built-ins-only',
      comment: 'core runs wherever Node runs: Node built-ins and its own files, nothing else',
      severity: 'error',
      from: { path: '^libs/core/', pathNot: SPEC },
      to: { pathNot: '^libs/core/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'testing-only-in-tests',
      comment: 'only specs, libs/testing itself and test/ may import @millrace/testing',
      severity: 'error',
      from: { path: '^(src|libs)/', pathNot: ['^libs/testing/', SPEC] },
      to: { path: '^libs/testing/' },
    },
    {
      // Specs under test/ boot the app; programs under test/ start it as a process, as its users do.
      name: 'nothing-imports-the-app',
      severity: 'error',
      from: { pathNot: '^(src/|test/.*\\.spec\\.ts$)' },
      to: { path: '^src/' },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'entry-points-only-between-libs',
      comment: 'another library is reached through its entry points, never a file inside it',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/', pathNot: [ENTRY_POINTS, '^libs/$1/'] },
    },
    {
      name: 'entry-points-only-from-app-and-test',
      severity: 'error',
      from: { path: '^(src|test)/' },
      to: { path: '^libs/', pathNot: ENTRY_POINTS },
    },
    {
      name: 'package-name-between-libs',
      comment: 'another library is imported by its package name, not by a relative path',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'package-name-from-app-and-test',
      severity: 'error',
      from: { path: '^(src|test)/' },
      to: { path: '^libs/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'not-its-own-barrel',
      comment: 'inside a library siblings import files; going through the barrel makes cycles',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: ['^libs/$1/src/index\\.ts$', '^libs/$1/src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-in-package-json',
      comment: 'a published library must list what it imports as a dependency or a peer',
      severity: 'error',
      from: { path: '^libs/[^/]+/src/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^dist/', '^libs/[^/]+/dist/'] },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
