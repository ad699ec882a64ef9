// Work that nobody waits for: it is done when the page has nothing else to do, or after a while.

const PATIENCE_MS = 2_000;

export function whenIdle(work: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(work, { timeout: PATIENCE_MS });
  else setTimeout(work, 0);
}

/** The same, once what is drawn now was painted. */
export function afterPaint(work: () => void): void {
  requestAnimationFrame(() => whenIdle(work));
}
