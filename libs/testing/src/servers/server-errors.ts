// The two ways a throw-away server can fail its caller: there is none to start, or it did not come up.

/** No server binary could be found or fetched. The message names every way to provide one. */
export class ServerUnavailableError extends Error {
  readonly code = 'MQ_TEST_SERVER_UNAVAILABLE';

  constructor(server: string, ways: string[], cause?: unknown) {
    const list = ways.map((way, index) => `  ${index + 1}. ${way}`).join('\n');
    super(`No ${server} to start. Provide one in any of these ways:\n${list}`, cause === undefined ? {} : { cause });
    this.name = 'ServerUnavailableError';
  }
}

/** The binary was started but ended, or stayed silent, before it accepted connections. */
export class ServerStartError extends Error {
  readonly code = 'MQ_TEST_SERVER_START';

  constructor(
    server: string,
    reason: string,
    /** The last lines the server wrote. */
    readonly output: string,
  ) {
    super(`${server} ${reason}\n${output}`);
    this.name = 'ServerStartError';
  }
}
