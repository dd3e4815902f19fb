// For specs that watch something which gives no signal, such as the answer of an HTTP request.

const LOOK_EVERY_MS = 10;

/** Looks again and again until the condition gives something truthy, and resolves with it; rejects at the deadline. */
export async function until<T>(
  what: string,
  condition: () => Promise<T> | T,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
