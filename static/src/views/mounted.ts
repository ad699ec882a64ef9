// Which rows of a conversation are on the page, and where its reader is; older ones come on demand.

import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { afterPaint } from '../text/idle.ts';
import type { Desk } from './desk.ts';
import { Reading } from './reading.ts';
import { FIRST, MORE, type Row, grown, inSight, rowsOf, windowStart } from './rows.ts';

/** Rows that are mounted before one that is shown on demand. */
const BEFORE = 10;

export class Mounted {
  readonly rows: ReadonlySignal<readonly Row[]>;
  readonly atEnd: ReadonlySignal<boolean>;
  readonly loading = signal(false);
  /** What fits on one screen cannot be scrolled, and would never ask for what is before it. */
  readonly scant: ReadonlySignal<boolean>;
  readonly #desk: Desk;
  readonly #reading = signal<Reading | null>(null);
  /** The key of the first row that is mounted. */
  readonly #anchor = signal<string | null>(null);
  #content: HTMLElement | null = null;
  #wanted: string | null = null;
  #tried = 0;
  #growing = false;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.rows = computed(() => rowsOf(desk.open.entries.value));
    this.atEnd = computed(() => this.#reading.value?.atEnd.value ?? true);
    this.scant = computed(
      () => this.rows.value.length < FIRST && desk.cut.value && desk.synced.value && this.#reading.value !== null,
    );
  }

  begin(scroller: HTMLElement, content: HTMLElement): () => void {
    const reading = new Reading(scroller, content, () => void this.older());
    reading.begin();
    this.#content = content;
    this.#reading.value = reading;
    this.#desk.toEnd = () => reading.toEnd();
    this.#desk.reveal = (key) => this.#show(key, reading);
    this.#grow();
    return () => {
      reading.end();
      this.#reading.value = null;
    };
  }

  /** The rows to draw; where they begin is where they begin from now on. */
  take(): { readonly shown: readonly Row[]; readonly from: number } {
    const newest = this.atEnd.value ? inSight(innerHeight) : FIRST;
    const from = windowStart(this.rows.value, this.#anchor.value, this.atEnd.value, newest);
    const shown = this.rows.value.slice(from);
    this.#anchor.value = shown[0]?.key ?? null;
    return { shown, from };
  }

  /** They were drawn. */
  drawn(): void {
    this.#reading.peek()?.keep();
    if (this.#wanted !== null && reveal(this.#content, this.#wanted)) this.#wanted = null;
    this.#grow();
  }

  /** What is out of sight is mounted when there is time, so that the first picture need not wait for it. */
  #grow(): void {
    if (this.#growing || this.#next() === null) return;
    this.#growing = true;
    afterPaint(() => {
      this.#growing = false;
      const next = this.#next();
      if (next === null) return;
      this.#reading.peek()?.mark();
      this.#anchor.value = next;
    });
  }

  /** The key of the first row once more of them are mounted. */
  #next(): string | null {
    const reading = this.#reading.peek();
    if (reading === null) return null;
    const rows = this.rows.peek();
    const start = windowStart(rows, this.#anchor.peek(), reading.atEnd.peek());
    const at = grown(rows, start, inSight(innerHeight));
    return at === null ? null : (rows[at]?.key ?? null);
  }

  async older(): Promise<void> {
    const start = windowStart(this.rows.peek(), this.#anchor.peek(), false);
    if (start === 0 && !this.#desk.cut.peek()) return;
    await this.#adding(async (reading) =>
      reading.holding(async () => {
        if (start === 0) await this.#desk.open.loadEarlier();
        const now = this.rows.peek().findIndex((row) => row.key === this.#anchor.peek());
        this.#anchor.value = this.rows.peek()[Math.max(0, now - MORE)]?.key ?? null;
      }),
    );
  }

  /** Once for each beginning that is known. What comes is mounted when there is time. */
  fill(oldest: number): void {
    if (!this.scant.value || this.loading.value || this.#tried === oldest) return;
    this.#tried = oldest;
    void this.#adding(() => this.#desk.open.loadEarlier());
  }

  async #adding(add: (reading: Reading) => Promise<unknown>): Promise<void> {
    const reading = this.#reading.peek();
    if (this.loading.peek() || !reading) return;
    const before = this.#beginning();
    this.loading.value = true;
    try {
      await add(reading);
    } finally {
      this.loading.value = false;
    }
    if (this.#beginning() !== before) reading.lookUp();
  }

  /** Where what is known begins, and what is mounted of it. */
  #beginning(): string {
    return `${this.rows.peek()[0]?.key} ${this.#anchor.peek()}`;
  }

  #show(key: string, reading: Reading): void {
    const rows = this.rows.peek();
    const at = rows.findIndex((row) => row.key === key);
    if (at >= 0 && at < windowStart(rows, this.#anchor.peek(), reading.atEnd.peek())) {
      reading.leave();
      this.#anchor.value = rows[Math.max(0, at - BEFORE)]?.key ?? null;
      this.#wanted = key;
    } else reveal(this.#content, key);
  }
}

/** Whether it is mounted. What comes into sight gets its true size: then it is looked for again. */
function reveal(content: HTMLElement | null, key: string, again = 2): boolean {
  const node = content?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
  node?.scrollIntoView({ block: 'center' });
  node?.focus({ preventScroll: true });
  if (again > 0) requestAnimationFrame(() => reveal(content, key, again - 1));
  return node !== null;
}
