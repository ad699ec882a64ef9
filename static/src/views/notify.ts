// Calling someone who looks elsewhere: a mark in the tab's title, and a notification they allowed.

import { effect, signal, type ReadonlySignal } from '@preact/signals';
import { needsPerson } from '../store/entries.ts';
import { drives } from '../store/rights.ts';
import type { Session } from '../wire.ts';
import { words } from '../words/en.ts';
import { toast } from './voice.tsx';

type Permission = 'on' | 'off' | 'denied' | 'unsupported';

const permission = (): Permission => {
  if (!('Notification' in window) || !isSecureContext) return 'unsupported';
  const { permission: given } = Notification;
  return given === 'granted' ? 'on' : given === 'denied' ? 'denied' : 'off';
};
const current = signal<Permission>(permission());
export const notifying: ReadonlySignal<Permission> = current;

/** Only ever from a click. */
export function askToNotify(): void {
  const refused = { denied: words.header.notifyDenied, unsupported: words.header.notifyUnsupported };
  const { value } = current;
  if (value === 'denied' || value === 'unsupported') {
    toast(refused[value]);
    return;
  }
  void Notification.requestPermission().then(() => {
    current.value = permission();
    toast(current.value === 'on' ? words.header.notifying : words.header.notifyDenied);
  });
}

/** Watches all sessions; what waits already when the page opens is not news. */
export function watch(sessions: ReadonlySignal<readonly Session[]>, heard: ReadonlySignal<boolean>): void {
  let before: ReadonlySet<string> | null = null;
  effect(() => {
    const waiting = sessions.value.filter((one) => needsPerson(one) && drives(one));
    const mark = waiting.length ? `(${waiting.length}) ` : '';
    document.title = `${mark}${words.name}`;
    if (!heard.value) return;
    const news = waiting.filter(({ id }) => before !== null && !before.has(id));
    before = new Set(waiting.map(({ id }) => id));
    if (document.hidden && current.peek() === 'on') for (const session of news) notify(session);
  });
}

function notify({ id, title }: Session): void {
  const body = words.notification.body(title || words.sessions.untitled);
  const made = new Notification(words.notification.title, { body, tag: id, icon: '/static/icon.svg' });
  made.onclick = () => {
    window.focus();
    location.hash = `#/s/${encodeURIComponent(id)}`;
    made.close();
  };
}
