// What every session of a page shares: its browser, its storage, its name among other pages.

import { type Call, call } from '../link/api.ts';
import { Kept } from '../link/kept.ts';
import { type Locks, locksOf } from '../link/locks.ts';
import { lockOf } from '../link/outbox.ts';
import { type World, browser } from '../link/world.ts';
import { beginsAnew } from './account.ts';

export interface Ways {
  readonly world: World;
  readonly call: Call;
  readonly kept: Kept;
  readonly locks: Locks;
  /** This page among all pages that share the storage. */
  readonly tab: string;
  /** Shows a person what went wrong: by its code, with the server's sentence where it said one. */
  tell(code: string, message?: string): void;
}

export function waysOf(tell: Ways['tell']): Ways {
  const tab = browser.newId();
  const locks = locksOf(navigator.locks);
  locks.hold(lockOf(tab));
  const kept = new Kept(browser.after, () => localStorage, beginsAnew());
  return { world: browser, call, kept, locks, tab, tell };
}
