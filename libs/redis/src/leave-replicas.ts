// When a socket is given up because the server behind it is no primary any more.

const RECONNECT_AGAIN_MS = 1_000;

/**
 * A demoted primary that keeps its socket answers READONLY: the name may lead to another server by now. The call itself
 * is answered: its caller knows how to wait. Not at once again, or a replica alone would make this a loop of handshakes.
 */
export function leaveReplicas(): (error: Error) => boolean {
  let notBefore = -Infinity;
  return ({ message }) => {
    if (!message.includes('READONLY') || performance.now() < notBefore) return false;
    notBefore = performance.now() + RECONNECT_AGAIN_MS;
    return true;
  };
}
