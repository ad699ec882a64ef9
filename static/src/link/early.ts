// The socket that public/first.js dialled while the page's scripts were on their way: whoever asks for it hears all of it.

import type { SocketLike } from './world.ts';

export interface Early {
  readonly path: string;
  readonly socket: SocketLike;
  /** What came meanwhile: messages, and that it was closed. */
  readonly heard: readonly Event[];
}

interface Page {
  early?: Early | undefined;
}

/** Once; null where none was dialled, or one for something else, which is closed. */
export function dialledEarly(path: string, page: Page = window as Page): SocketLike | null {
  const { early } = page;
  if (early === undefined) return null;
  page.early = undefined;
  const { socket, heard } = early;
  socket.onmessage = null;
  socket.onclose = null;
  if (early.path !== path) {
    socket.close();
    return null;
  }
  return Object.assign(socket, {
    start() {
      for (const event of heard) {
        if (event.type === 'close') socket.onclose?.(event as CloseEvent);
        else socket.onmessage?.(event as MessageEvent);
      }
    },
  });
}
