// Standard Schema (https://standardschema.dev, version 1): the part a validator needs, so that zod, valibot and arktype
// schemas fit without a dependency on any of them.
import { MqError } from '@millrace/core';

export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Issues named in an error's text; the rest is counted. */
const MAX_ISSUES = 10;

/** Resolves to what the schema makes of the value. Rejects with MqError `MQ_INVALID_PAYLOAD`; its cause is the issues. */
export async function validateWith<T>(schema: StandardSchemaV1<unknown, T>, value: unknown): Promise<T> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const shown = result.issues.slice(0, MAX_ISSUES).map(describe);
  if (result.issues.length > MAX_ISSUES) shown.push(`and ${result.issues.length - MAX_ISSUES} more`);
  throw new MqError(`payload does not match its schema: ${shown.join('; ')}`, {
    code: 'MQ_INVALID_PAYLOAD',
    cause: result.issues,
  });
}

function describe({ message, path = [] }: StandardIssue): string {
  const at = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}
