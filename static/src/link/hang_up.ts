// Leaving a socket: browsers complain of one that is closed while it opens, so it is closed once it is open.

import type { SocketLike, World } from './world.ts';

const CONNECTING = 0;
/** A browser opens one socket to a server at a time: who dials next must not wait for one that hangs. */
const PATIENCE_MS = 1_000;

export function hangUp(socket: SocketLike, after: World['after']): void {
  if (socket.readyState !== CONNECTING) return socket.close();
  const stop = after(PATIENCE_MS, () => socket.close());
  socket.onopen = () => {
    stop();
    socket.close();
  };
}
