// One signal out of two. AbortSignal.any would keep each result alive as long as its sources live, here for ever.

export interface EitherSignal {
  readonly signal: AbortSignal;
  /** Lets go of the sources. */
  release(): void;
}

export function eitherSignal(first: AbortSignal, second: AbortSignal): EitherSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (first.aborted || second.aborted) abort();
  first.addEventListener('abort', abort, { once: true });
  second.addEventListener('abort', abort, { once: true });
  const release = (): void => {
    first.removeEventListener('abort', abort);
    second.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, release };
}
