// Three suites, told apart by their suffix: unit needs no server; int and e2e get Redis and PostgreSQL from the set-up.
const shared = {
  testEnvironment: 'node',
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/src', '<rootDir>/libs', '<rootDir>/test'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/libs/[^/]+/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@millrace/transactional/(typeorm|pg|mysql2|knex|drizzle)$': '<rootDir>/libs/transactional/src/$1.ts',
    '^@millrace/testing/(servers|contract)$': '<rootDir>/libs/testing/src/$1/index.ts',
    '^@millrace/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: { '^.+\\.ts$': '@swc/jest' },
};

const withServers = {
  globalSetup: '<rootDir>/test/support/jest-global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/jest-global-teardown.mjs',
};

/** @type {import('jest').Config} */
export default {
  rootDir: import.meta.dirname,
  // Jest reads this at the top level only, never in a project.
  testTimeout: 20_000,
  // Most suites wait for servers: with one worker less than cores, two cores would run them one by one.
  maxWorkers: 2,
  // A new process now and then: under Node 20 every test file leaves an AsyncLocalStorage of Jest's own behind, and each
  // promise pays for all of them: after 80 files a spec that only computes takes ten times as long, and times out.
  workerIdleMemoryLimit: '400MB',
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', 'libs/*/src/**/*.ts', '!**/*.spec.ts', '!src/main.ts'],
  reporters: ['default', '<rootDir>/.ci/jest-counts-reporter.mjs'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.(int|e2e)\\.spec\\.ts$'],
    },
    { ...shared, ...withServers, displayName: 'int', testMatch: ['**/*.int.spec.ts'] },
    { ...shared, ...withServers, displayName: 'e2e', testMatch: ['**/*.e2e.spec.ts'] },
  ],
};
