// Waits for something only the server can see: asks again and again, each question a round trip.
export async function until(what: string, ask: () => Promise<boolean>, patienceMs = 5000): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await ask());)
    if (performance.now() > end) throw new Error(`${what}: not within ${patienceMs} ms`);
}
