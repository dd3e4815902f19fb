// How values go into statements and come back, on MariaDB and MySQL.
//
// Names and keys are stored as bytes: the collations of these servers call 'a', 'A' and 'a ' the same. Texts are sent
// as bytes too, so that neither the character set of the connection nor its SQL mode has a say in them.

export function bytes(value: string): Buffer {
  return Buffer.from(value);
}

export function bytesOrNull(value: string | null | undefined): Buffer | null {
  return value === null || value === undefined ? null : Buffer.from(value);
}

export function text(value: Buffer | string): string {
  return value.toString();
}

export function textOrNull(value: Buffer | string | null): string | null {
  return value === null ? null : value.toString();
}

/** Numbers of these servers may come as text: bigint and decimal by nature, others by the options of the driver. */
export function numberOrNull(value: string | number | null): number | null {
  return value === null ? null : Number(value);
}

/** Placeholders for a list; the list is never empty. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

/** Now on the server's clock, in UTC whatever the session's time zone is. */
export const NOW = 'utc_timestamp(6)';

/** A column of that clock as milliseconds since 1970. */
export function epochMs(column: string): string {
  return `timestampdiff(microsecond, '1970-01-01', ${column}) / 1000`;
}
