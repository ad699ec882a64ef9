// What an address names. Pure.

export type Route =
  | { readonly view: 'list' }
  | { readonly view: 'new' }
  | { readonly view: 'session'; readonly id: string }
  /** A link that somebody shared. */
  | { readonly view: 'join'; readonly secret: string }
  | { readonly view: 'dashboard' };

export function parsed(text: string): Route {
  const path = text.replace(/^#\/?/, '');
  if (path === 'dashboard') return { view: 'dashboard' };
  if (path === 'new') return { view: 'new' };
  const secret = /^join\/([\w-]+)$/.exec(path)?.[1];
  if (secret !== undefined) return { view: 'join', secret };
  const session = /^s\/([^/?]+)/.exec(path)?.[1];
  if (session === undefined) return { view: 'list' };
  try {
    return { view: 'session', id: decodeURIComponent(session) };
  } catch {
    return { view: 'list' }; // a broken address
  }
}

export const sessionHref = (id: string): string => `#/s/${encodeURIComponent(id)}`;
