// Which view is on screen: the address's hash, as a signal.

import { computed, signal } from '@preact/signals';
import { parsed } from './address.ts';

export { sessionHref } from './address.ts';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export const route = computed(() => parsed(hash.value));

export function go(to: string): void {
  location.hash = to;
}
