// How much a lost connection is worth saying: nothing below 3 s, a chip below 10 s, then a banner. Pure.

import type { LinkView } from '../link/link.ts';

const QUIET_MS = 3_000;
const CHIP_MS = 10_000;

export type Trouble = 'none' | 'chip' | 'banner' | 'gone';

export function troubleOf({ phase, lostAt, reason }: LinkView, now: number): Trouble {
  if (phase === 'closed') return reason === null ? 'none' : 'gone';
  if (lostAt === null) return 'none';
  const lost = now - lostAt;
  return lost < QUIET_MS ? 'none' : lost < CHIP_MS ? 'chip' : 'banner';
}

/** Whole seconds until it dials again; `now` may lag behind by a tick. */
export const secondsLeft = ({ dialAt }: LinkView, now: number): number =>
  Math.max(0, Math.ceil(((dialAt ?? 0) - now) / 1000));
