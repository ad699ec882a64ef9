// Where the reader is: at the end, which then follows what is written, or further up, which stays.

import { signal, type ReadonlySignal } from '@preact/signals';

const NEAR_END = 48; // pixels
const NEAR_START = 600;
const UPWARDS: ReadonlySet<string> = new Set(['ArrowUp', 'PageUp', 'Home']);

export class Reading {
  readonly #scroller: HTMLElement;
  readonly #content: HTMLElement;
  readonly #nearStart: () => void;
  readonly #atEnd = signal(true);
  readonly atEnd: ReadonlySignal<boolean> = this.#atEnd;
  /** Where it stood last: who came from further up, or from further down, wants another thing. */
  #last = 0;
  #resized: ResizeObserver | null = null;
  /** Who reads further up has this line before their eyes while rows are put above it. */
  #marked: { readonly line: Element; readonly top: number } | null = null;

  constructor(scroller: HTMLElement, content: HTMLElement, nearStart: () => void) {
    this.#scroller = scroller;
    this.#content = content;
    this.#nearStart = nearStart;
  }

  begin(): void {
    this.#scroller.addEventListener('scroll', this.#scrolled, { passive: true });
    this.#scroller.addEventListener('wheel', this.#wheeled, { passive: true });
    this.#scroller.addEventListener('keydown', this.#pressed);
    this.#resized = new ResizeObserver(() => this.keep());
    this.#resized.observe(this.#content);
    this.#resized.observe(this.#scroller);
  }

  end(): void {
    this.#scroller.removeEventListener('scroll', this.#scrolled);
    this.#scroller.removeEventListener('wheel', this.#wheeled);
    this.#scroller.removeEventListener('keydown', this.#pressed);
    this.#resized?.disconnect();
  }

  /** After something was drawn: the end stays in sight for who is there, a marked line for who is not. */
  keep(): void {
    this.#catchUp();
    this.#stay();
  }

  #stay(): void {
    const marked = this.#marked;
    this.#marked = null;
    if (this.#atEnd.value) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    else if (marked?.line.isConnected) {
      this.#scroller.scrollTop += marked.line.getBoundingClientRect().top - marked.top;
    } else return;
    this.#last = this.#scroller.scrollTop;
  }

  /** Whoever is said to be at the end may have left, and the event of it is still to come. */
  #catchUp(): void {
    if (this.#atEnd.value) this.#scrolled();
  }

  /** Rows are put above the reader in a moment: the same line stays in sight. */
  mark(): void {
    this.#catchUp();
    const line = this.#atEnd.value ? undefined : this.#lineInSight();
    this.#marked = line ? { line, top: line.getBoundingClientRect().top } : null;
  }

  /** For a line further up. */
  leave(): void {
    this.#atEnd.value = false;
  }

  toEnd(): void {
    this.#atEnd.value = true;
    this.#stay();
  }

  /** Whoever came to the start while it was busy asks for nothing more: they cannot go further up. */
  lookUp(): void {
    if (!this.#atEnd.value && this.#scroller.scrollTop < NEAR_START) this.#nearStart();
  }

  /** Does something that puts content above the reader, who goes on reading the same line. */
  async holding(change: () => Promise<void> | void): Promise<void> {
    const line = this.#lineInSight();
    const top = line?.getBoundingClientRect().top ?? 0;
    await change();
    await new Promise((drawn) => requestAnimationFrame(drawn));
    if (line?.isConnected) this.#scroller.scrollTop += line.getBoundingClientRect().top - top;
  }

  #lineInSight(): Element | undefined {
    const { top } = this.#scroller.getBoundingClientRect();
    const entries = [...this.#content.querySelectorAll('.entry')];
    return entries.find((entry) => entry.getBoundingClientRect().bottom > top + 1);
  }

  /** However slowly somebody goes upwards, they leave; whoever comes down to it is at the end again. */
  readonly #scrolled = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    const moved = scrollTop - this.#last;
    if (Math.abs(moved) >= 1) {
      this.#last = scrollTop;
      // What grew shorter moves it upwards, too, and leaves it at the end.
      if (moved < 0) this.#atEnd.value &&= left <= 1;
      else this.#atEnd.value ||= left <= NEAR_END;
    } else if (this.#atEnd.value) return;
    // Also where they were before: whom rows put above them moved down may be up again at once.
    if (scrollTop < NEAR_START) this.#nearStart();
  };

  /** Who turns the wheel upwards wants to leave, also while more is written below. */
  readonly #wheeled = ({ deltaY, target }: WheelEvent): void => {
    if (deltaY < 0) this.#upwards(target as Element);
  };

  /** So does who presses such a key: what is written below can end the browser's own motion before it begins. */
  readonly #pressed = ({ key, target, defaultPrevented }: KeyboardEvent): void => {
    const writing = (target as Element).closest('input, textarea, select');
    if (UPWARDS.has(key) && !writing && !defaultPrevented) this.#upwards(target as Element);
  };

  #upwards(from: Element): void {
    const { scrollHeight, clientHeight } = this.#scroller;
    if (scrollHeight <= clientHeight + NEAR_END) return;
    // A box in here that can go upwards goes instead.
    let node: Element | null = from;
    while (node && node !== this.#scroller && node.scrollTop === 0) node = node.parentElement;
    if (node === this.#scroller) this.#atEnd.value = false;
  }
}
