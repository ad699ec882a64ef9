// What the page knows of its surroundings, as signals: width, pointer, time, visibility, theme.

import { computed, signal, type ReadonlySignal } from '@preact/signals';

function media(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener('change', () => {
    matches.value = list.matches;
  });
  return matches;
}

export const narrow = media('(max-width: 760px)');
export const wide = media('(min-width: 1180px)');
export const coarse = media('(pointer: coarse)');

const ticks = signal(Date.now());
setInterval(() => {
  if (!document.hidden) ticks.value = Date.now();
}, 1000);
document.addEventListener('visibilitychange', () => {
  ticks.value = Date.now();
});
/** The time, once a second while somebody may look. */
export const now: ReadonlySignal<number> = ticks;

const skew = signal(0);
/** The server's clock, as far as we know: a device's own may be an hour wrong. */
export const serverNow = computed(() => now.value + skew.value);
/** The server's time, to ten seconds: what lists say changes no faster. */
export const lately = computed(() => Math.floor(serverNow.value / 10_000) * 10_000);
const SMALL_MS = 3_000;

/** `date` is what the server's answer said of its clock, to the second. */
export function heardTime(date: string | null): void {
  const difference = Date.parse(date ?? '') - Date.now();
  skew.value = Math.abs(difference) > SMALL_MS ? difference : 0;
}

/** Safari shows its keyboard over the page, which then is as high as what is left; others resize it themselves. */
const sight = window.visualViewport;
const fit = (): void => {
  // Who enlarges the page sees less of it, and wants it no smaller.
  if (!sight || sight.scale > 1.01) return;
  const { style } = document.documentElement;
  if (innerHeight - sight.height < 1) return void style.removeProperty('--in-sight');
  style.setProperty('--in-sight', `${sight.height}px`);
  scrollTo(0, 0);
};
sight?.addEventListener('resize', fit);

export type Theme = 'system' | 'light' | 'dark';

/** Storage may be forbidden: a choice then lasts as long as the page. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing is lost but the choice.
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // There was nothing.
  }
}

const kept = remembered('theme');
export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'system');

export function setTheme(choice: Theme): void {
  theme.value = choice;
  remember('theme', choice);
  if (choice === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
}
