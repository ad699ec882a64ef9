// What the page says aloud and aside: one polite announcer for boundaries, and toasts.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { words } from '../words/en.ts';
import { problem } from '../words/remedies.ts';
import { Icon } from './icons.tsx';

const MOST_SAID = 4;
const said = signal<readonly (readonly [number, string])[]>([]);
let spoken = 0;

/** For screen readers. The same words twice are two announcements. */
export function announce(text: string): void {
  said.value = [...said.value, [++spoken, text] as const].slice(-MOST_SAID);
}

/** The only place that is spoken by itself: what is added is read, what stood there is not read again. */
export function Announcer(): JSX.Element {
  return (
    <div class="unseen" role="status" aria-live="polite" aria-atomic="false">
      {said.value.map(([number, text]) => (
        <p key={number}>{text}</p>
      ))}
    </div>
  );
}

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  readonly act?: { readonly label: string; readonly run: () => void };
}

const SHOWN_MS = 9_000;
const MOST = 3;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

export function toast(text: string, act?: Toast['act'], options = { bad: false, ms: SHOWN_MS }): () => void {
  const id = ++last;
  const shown: Toast = { id, text, bad: options.bad, ...(act ? { act } : {}) };
  toasts.value = [...toasts.value.filter((other) => other.text !== text), shown].slice(-MOST);
  announce(text);
  setTimeout(() => dismiss(id), options.ms);
  return () => dismiss(id);
}

/** Something went wrong: what, and what to do about it. */
export function tell(code: string, message = ''): void {
  toast(problem(code, message), undefined, { bad: true, ms: 12_000 });
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts(): JSX.Element {
  return (
    <section class="toasts" aria-label={words.notices} hidden={toasts.value.length === 0}>
      {toasts.value.map(({ id, text, bad, act }) => (
        <div key={id} class={bad ? 'toast bad' : 'toast'}>
          <p>{text}</p>
          {act && (
            <button
              type="button"
              class="button outlined small"
              onClick={() => {
                dismiss(id);
                act.run();
              }}
            >
              {act.label}
            </button>
          )}
          <button type="button" class="button icon" aria-label={words.dismiss} onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
