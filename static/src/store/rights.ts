// What one may do with a session, by the access that the server tells of. Pure.

import type { Session } from '../wire.ts';

type Shown = Pick<Session, 'access'> | null;

/** Until something is known it is taken for one's own, as most are. */
export const accessTo = (session: Shown): NonNullable<Session['access']> => session?.access ?? 'owner';

export const owns = (session: Shown): boolean => accessTo(session) === 'owner';

/** Speak, rule, rename, upload. */
export const drives = (session: Shown): boolean => owns(session) || accessTo(session) === 'driver';

export const mayStop = (session: Shown): boolean => drives(session) || accessTo(session) === 'operator';

export const mayDelete = (session: Shown): boolean => owns(session) || accessTo(session) === 'operator';

/** Whether it belongs into their list: an operator may read all, and lists what they are part of. */
export const takesPart = (session: Shown): boolean => accessTo(session) !== 'operator';
