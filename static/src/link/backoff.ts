// How long to wait before dialling again. Pure.

export const SHORTEST_S = 0.5;
export const LONGEST_S = 30;

/** Full jitter: `random` of what doubles with each failure in a row, from 0 on, up to a limit. */
export function waitSeconds(failures: number, random: number, patience = 0): number {
  return patience + random * Math.min(LONGEST_S, SHORTEST_S * 2 ** Math.min(failures, 10));
}
