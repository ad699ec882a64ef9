// What an address names. Pure.

export type Route =
  | { readonly view: 'list' }
  | { readonly view: 'new' }
  | { readonly view: 'session'; readonly id: string }
  | { readonly view: 'dashboard' };

export function parsed(text: string): Route {
  const path = text.replace(/^#\/?/, '');
  if (path === 'dashboard') return { view: 'dashboard' };
  if (path === 'new') return { view: 'new' };
  const session = /^s\/([^/?]+)/.exec(path)?.[1];
  if (session === undefined) return { view: 'list' };
  try {
    return { view: 'session', id: decodeURIComponent(session) };
  } catch {
    return { view: 'list' }; // a broken address
  }
}

export const sessionHref = (id: string): string => `#/s/${encodeURIComponent(id)}`;
