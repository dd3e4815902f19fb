// What a listener's parameters can ask for. Kept as route arguments, not as `createParamDecorator` would: ValidationPipe
// leaves those alone, and Nest instantiates the pipe classes it finds here.
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { PipeTransform, Type } from '@nestjs/common';

export type MqPipe = Type<PipeTransform> | PipeTransform;

/** Kinds of parameters; part of the metadata key, so distinct from Nest's own (numbers). */
export type MqParam = 'mqPayload' | 'mqHeader' | 'mqHeaders' | 'mqMessage' | 'mqContext';

/** The payload, or one property of it, through the listener's pipes and then the given ones. */
export function MqPayload(...pipes: MqPipe[]): ParameterDecorator;
export function MqPayload(property: string, ...pipes: MqPipe[]): ParameterDecorator;
export function MqPayload(...given: (string | MqPipe)[]): ParameterDecorator {
  const [first, ...rest] = given;
  return typeof first === 'string' ? param('mqPayload', first, rest) : param('mqPayload', undefined, given);
}

/** One header; `undefined` when the message has none of this name. Names are exact. */
export const MqHeader = (name: string): ParameterDecorator => param('mqHeader', name);

/** All headers. */
export const MqHeaders = (): ParameterDecorator => param('mqHeaders');

/** The whole message, its body as it was sent (before pipes and schema). */
export const MqMessage = (): ParameterDecorator => param('mqMessage');

/** The `MqContext` of this delivery. */
export const MqCtx = (): ParameterDecorator => param('mqContext');

function param(kind: MqParam, data?: string, pipes: readonly unknown[] = []): ParameterDecorator {
  return (target, method, index) => {
    // Own metadata only: an override that decorates its parameters starts anew.
    const known = (Reflect.getOwnMetadata(ROUTE_ARGS_METADATA, target.constructor, method!) ?? {}) as object;
    const entry = { index, data, pipes };
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, { ...known, [`${kind}:${index}`]: entry }, target.constructor, method!);
  };
}
