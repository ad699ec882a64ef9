// Work on growing texts, done in small steps: one share of each frame for all of them together.

const SHARE_MS = 6;

/** One step of a piece of work, and whether another is to follow: at once, in a later frame, never. */
export type Step = (now: number) => 'more' | 'later' | 'done';

const waiting = new Set<Step>();
let asked = false;

/** Take steps from the next frame on, until one says that it was the last. */
export function inFrames(step: Step): () => void {
  waiting.add(step);
  if (!asked) ask();
  return () => waiting.delete(step);
}

/** Whether nothing is left to do. */
export const resting = (): boolean => waiting.size === 0;

function ask(): void {
  asked = true;
  requestAnimationFrame(work);
}

function work(): void {
  asked = false;
  const end = performance.now() + SHARE_MS;
  for (const step of [...waiting]) {
    waiting.delete(step);
    if (inShare(step, end)) waiting.add(step);
  }
  if (waiting.size > 0) ask();
}

/** Whether steps are left; each piece of work takes one at least, so that none starves. */
function inShare(step: Step, end: number): boolean {
  for (;;) {
    const now = performance.now();
    const next = step(now);
    if (next === 'done') return false;
    if (next === 'later' || now >= end) return true;
  }
}
