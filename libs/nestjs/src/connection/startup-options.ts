// What the start of the application does while the broker is away: documentation, defaults and validation in one place.
import { checkOptions, InvalidOptionError, toMs, type Duration } from '@millrace/core';

export interface MqStartupOptions {
  /** How long the start of the application waits for a broker that does not answer. 0 = not at all. @default '10s' */
  timeout?: Duration;
  /**
   * Then: `continue` starts the application; topics are declared and listeners consume as soon as the broker answers, and
   * until then health says `down`. `fail` ends the start with MqError `MQ_UNAVAILABLE`. What a broker that is there says
   * against the start (settings that differ, rights) ends it either way. @default 'continue'
   */
  onTimeout?: 'continue' | 'fail';
}

/** `MqStartupOptions` checked and completed. */
export interface StartupSpec {
  readonly timeoutMs: number;
  readonly onTimeout: 'continue' | 'fail';
}

export const STARTUP_DEFAULTS = { timeout: '10s', onTimeout: 'continue' } as const satisfies Required<MqStartupOptions>;

/** Throws InvalidOptionError. @param path of the options, for errors */
export function startupSpec(options: MqStartupOptions = {}, path = 'MqModule.startup'): StartupSpec {
  checkOptions(path, options, Object.keys(STARTUP_DEFAULTS));
  const onTimeout = options.onTimeout ?? STARTUP_DEFAULTS.onTimeout;
  if (onTimeout !== 'continue' && onTimeout !== 'fail')
    throw new InvalidOptionError(`${path}.onTimeout`, onTimeout, "must be 'continue' or 'fail'");
  return { timeoutMs: toMs(`${path}.timeout`, options.timeout ?? STARTUP_DEFAULTS.timeout), onTimeout };
}
