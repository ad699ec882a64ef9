// What a page takes from its browser: clocks, chance, timers, sockets, and the events that wake it.

import { dialledEarly } from './early.ts';

export interface SocketLike {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
  /** Hand over what came before anybody listened, as a `MessagePort` does. */
  start?(): void;
}

export type Woken = 'visibilitychange' | 'pageshow' | 'pagehide' | 'online' | 'offline';

export interface World {
  /** Milliseconds that only ever grow; they may stand still while the machine sleeps. */
  now(): number;
  /** Milliseconds since 1970, as this machine believes. */
  wall(): number;
  /** From 0 to below 1. */
  random(): number;
  newId(): string;
  after(milliseconds: number, run: () => void): () => void;
  /** Before the next frame is painted, or soon where nothing is painted. */
  frame(run: () => void): () => void;
  socket(path: string): SocketLike;
  hidden(): boolean;
  online(): boolean;
  on(name: Woken, run: (event: { readonly persisted?: boolean }) => void): () => void;
}

/** A painted page comes sixty times a second; one that is hidden never does. */
const UNPAINTED_MS = 200;

export const browser: World = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  newId,
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  frame(run) {
    const once = () => {
      stop();
      run();
    };
    const frame = requestAnimationFrame(once);
    const timer = setTimeout(once, UNPAINTED_MS);
    const stop = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    return stop;
  },
  socket: (path) =>
    dialledEarly(path) ??
    new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api${path}`, 'mooring.v1'),
  hidden: () => document.hidden,
  online: () => navigator.onLine,
  on(name, run) {
    const target = name === 'visibilitychange' ? document : window;
    const heard = (event: Event) => run(event as PageTransitionEvent);
    target.addEventListener(name, heard);
    return () => target.removeEventListener(name, heard);
  },
};

/** An id nobody else makes; `randomUUID` is missing on plain http beyond loopback. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
