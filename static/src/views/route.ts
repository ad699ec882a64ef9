// Which view is on screen: the address's hash, as a signal.

import { computed, signal } from '@preact/signals';

export type Route =
  | { readonly view: 'list' }
  | { readonly view: 'new' }
  | { readonly view: 'session'; readonly id: string }
  | { readonly view: 'dashboard' };

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

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

export const route = computed(() => parsed(hash.value));
export const sessionHref = (id: string): string => `#/s/${encodeURIComponent(id)}`;

export function go(to: string): void {
  location.hash = to;
}
