// The list of sessions as pages of HTTP and the dashboard's frames add it up. Pure.

import type { BoardFrame, Row, Session, Totals } from '../wire.ts';

export interface FleetState {
  /** Newest activity first. */
  readonly sessions: readonly Session[];
  /** What is live of each, by id; also of sessions that are not in the list. */
  readonly rows: ReadonlyMap<string, Row>;
  readonly totals: Totals | null;
}

export const noFleet: FleetState = Object.freeze({ sessions: [], rows: new Map(), totals: null });

/** `belongs`: whether a session that is not in the list yet comes into it. */
export function board(
  fleet: FleetState,
  frame: BoardFrame,
  belongs: (row: Row) => boolean,
): FleetState {
  if (frame.type !== 'fleet') return fleet;
  const rows = new Map(frame.full ? [] : fleet.rows);
  for (const row of frame.sessions) rows.set(row.id, row);
  for (const id of frame.gone ?? []) rows.delete(id);
  const gone = new Set(frame.gone ?? []);
  const kept = fleet.sessions.filter(({ id }) => !gone.has(id));
  const known = new Set(kept.map(({ id }) => id));
  const fresh = frame.sessions.filter((row) => known.has(row.id) || belongs(row));
  return { sessions: newestFirst(fresh, kept), rows, totals: frame.totals };
}

/** One session as an answer over HTTP shows it; the socket may have told us more by now. */
export function put(fleet: FleetState, session: Session): FleetState {
  return { ...fleet, sessions: newestFirst([newer(fleet, session)], fleet.sessions) };
}

export function drop(fleet: FleetState, id: string): FleetState {
  const rows = new Map(fleet.rows);
  rows.delete(id);
  return { ...fleet, rows, sessions: fleet.sessions.filter((session) => session.id !== id) };
}

/** A page of the list: in place of the list, or (`isMore`) behind it. */
export function listed(fleet: FleetState, page: readonly Session[], isMore: boolean): FleetState {
  const fresh = page.map((session) => newer(fleet, session));
  return { ...fleet, sessions: newestFirst(fresh, isMore ? fleet.sessions : []) };
}

const newer = (fleet: FleetState, session: Session): Session => {
  const row = fleet.rows.get(session.id);
  return row !== undefined && row.head >= session.head ? row : session;
};

function newestFirst(fresh: readonly Session[], others: readonly Session[]): readonly Session[] {
  if (fresh.length === 0) return others;
  const all = new Map([...others, ...fresh].map((session) => [session.id, session]));
  return [...all.values()].sort((a, b) =>
    a.active_at < b.active_at ? 1 : a.active_at > b.active_at ? -1 : 0,
  );
}
