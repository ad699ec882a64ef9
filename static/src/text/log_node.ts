// A log on the page: chunks of lines, so that what is far away costs nothing; a bar to follow and copy.

import { words } from '../words/en.ts';
import { type Run, Screen, textOf } from './ansi.ts';
import { copyButton } from './copy_button.ts';
import { make } from './nodes.ts';

const CHUNK = 100;
const NEAR_PX = 48; // whoever is nearer to the end follows it

export class LogNode {
  readonly node: HTMLElement;
  readonly #screen = new Screen();
  readonly #region: HTMLElement;
  readonly #lines = make('div', { class: 'log-lines' });
  readonly #gone = make('p', { class: 'log-gone', hidden: '' });
  readonly #follow = make('button', { type: 'button', 'aria-pressed': 'true' }, words.text.follow);
  #first = 0; // the number of the first line that has a node
  #count = 0; // of lines that have a node
  #following: boolean;

  /** `bare`: a few lines, without a bar. */
  constructor(following: boolean, bare = false) {
    this.#following = following;
    this.#follow.hidden = !following;
    const about = { class: 'log', tabindex: '0', role: 'group', 'aria-label': words.text.log };
    this.#region = make('div', about, this.#gone, this.#lines);
    this.node = make('div', { class: 'log-box' }, this.#region);
    this.#region.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    if (!bare) this.node.append(this.#bar());
  }

  #bar(): HTMLElement {
    const copy = copyButton(() => textOf(this.#screen.lines));
    this.#follow.addEventListener('click', () => this.#setFollowing(!this.#following));
    return make('div', { class: 'log-bar' }, this.#follow, copy);
  }

  /** How many lines are visible at once. */
  set rows(rows: number | undefined) {
    this.#region.style.maxHeight = rows === undefined ? '' : `${rows}lh`;
  }

  write(text: string): void {
    this.#screen.write(text);
  }

  /** Put what changed on the page: once a frame at most. */
  draw(skipped: number): void {
    const { lines, first, changed } = this.#screen;
    const end = first + lines.length;
    if (changed > this.#first + this.#count || first >= this.#first + this.#count) this.#restart(first);
    for (let number = Math.max(changed, this.#first); number < end; number += 1) {
      this.#put(number, lines[number - first] ?? []);
    }
    this.#dropBefore(first);
    this.#screen.seen();
    this.#gone.hidden = skipped === 0 && first === 0;
    this.#gone.textContent = skipped > 0 ? words.text.gone(skipped) : words.text.goneLines;
    if (this.#following) this.#region.scrollTop = this.#region.scrollHeight;
  }

  #restart(first: number): void {
    this.#lines.replaceChildren();
    this.#first = first;
    this.#count = 0;
  }

  #put(number: number, line: readonly Run[]): void {
    const at = number - this.#first;
    const old = at < this.#count ? this.#lines.children[Math.floor(at / CHUNK)]?.children[at % CHUNK] : null;
    const runs = line.map(({ text, classes }) => (classes ? make('span', { class: classes }, text) : text));
    if (old) {
      old.replaceChildren(...runs);
      return;
    }
    if (this.#count % CHUNK === 0) this.#lines.append(make('div', { class: 'log-chunk' }));
    this.#lines.lastElementChild!.append(make('div', {}, ...runs));
    this.#count += 1;
  }

  /** Whole chunks only: numbers of the others stay where they are. */
  #dropBefore(first: number): void {
    while (this.#first + CHUNK <= first) {
      this.#lines.firstElementChild?.remove();
      this.#first += CHUNK;
      this.#count -= CHUNK;
    }
  }

  #scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#region;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (near !== this.#following && !this.#follow.hidden) this.#setFollowing(near);
  }

  #setFollowing(following: boolean): void {
    this.#following = following;
    this.#follow.setAttribute('aria-pressed', String(following));
    if (following) this.#region.scrollTop = this.#region.scrollHeight;
  }
}
