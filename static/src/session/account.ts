// Being known here: logging in and out, what a person keeps secret, and whose browser this is.

import type { Call } from '../link/api.ts';
import type { Ways } from './ways.ts';

export interface Secret {
  readonly name: string;
  readonly changed_at: string;
}
interface LoggedOut {
  readonly redirect: string | null;
}

const USER = 'user';
const ANEW = 'begin-anew';
const DRAFT = 'draft:';
const PLACE = 'place-before-login';

/** Where a browser goes to log in; the place on the page waits here, since a provider loses it. */
export function toLogIn(address: string): void {
  try {
    sessionStorage.setItem(PLACE, location.hash);
  } catch {
    // They then come back to the list.
  }
  location.assign(`${address}?next=/`);
}

/** Once, after a log-in: back to where it was asked for. */
export function placeBefore(): string | null {
  try {
    const place = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    return place;
  } catch {
    return null;
  }
}

/** Nothing of theirs stays in this browser; `everywhere` ends their log-ins in others, too. */
export async function logOut(ways: Ways, everywhere: boolean): Promise<void> {
  const { redirect } = await ways.call<LoggedOut>('POST', '/logout', { body: { everywhere } });
  await forgetEverything(ways);
  location.assign(redirect ?? '/');
}

/** Whether what this browser keeps is this user's; else it is gone when the page begins anew. */
export async function isTheirs(ways: Ways, user: string): Promise<boolean> {
  try {
    const before = localStorage.getItem(USER);
    const theirs = before === null || before === user;
    if (!theirs) await forgetEverything(ways);
    localStorage.setItem(USER, user);
    return theirs;
  } catch {
    return true; // where nothing can be kept, nobody left anything
  }
}

/** A page that goes keeps what stands in its fields: the next one has to forget that, too. */
async function forgetEverything(ways: Ways): Promise<void> {
  await ways.kept.clear();
  localStorage.setItem(ANEW, 'yes');
  localStorage.removeItem(USER);
}

/** At the start of a page, before anything is read: whether it is to know nothing of before. */
export function beginsAnew(): boolean {
  try {
    if (localStorage.getItem(ANEW) === null) return false;
    localStorage.removeItem(ANEW);
    for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT)) localStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}

const secretPath = (name: string): string => `/secrets/${encodeURIComponent(name)}`;

export async function secretsOf(call: Call): Promise<readonly Secret[]> {
  return (await call<{ readonly secrets: readonly Secret[] }>('GET', '/secrets')).secrets;
}

export const keepSecret = (call: Call, name: string, value: string): Promise<null> =>
  call('PUT', secretPath(name), { body: { value } });

export const removeSecret = (call: Call, name: string): Promise<null> => call('DELETE', secretPath(name));

export interface ToolServer {
  readonly name: string;
  readonly oauth: boolean;
  readonly connected: boolean;
}

const connectPath = (name: string): string => `/mcp/${encodeURIComponent(name)}/connect`;

export async function toolServersOf(call: Call): Promise<readonly ToolServer[]> {
  return (await call<{ readonly servers: readonly ToolServer[] }>('GET', '/mcp')).servers;
}

/** The browser leaves for the server's own page, and comes back by itself. */
export async function connectServer(call: Call, name: string): Promise<void> {
  location.assign((await call<{ readonly url: string }>('POST', connectPath(name))).url);
}

export async function disconnectServer(call: Call, name: string): Promise<void> {
  await call('DELETE', connectPath(name));
}
