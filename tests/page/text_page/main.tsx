// The rooms of static/src/text alone on a page, for the tests: each is mounted and fed by hand.

import '../../../static/src/views/tokens.css';
import '../../../static/src/text/text.css';
import './page.css';
import { signal } from '@preact/signals';
import { render, type VNode } from 'preact';
import { Code } from '../../../static/src/text/code.tsx';
import { Diff } from '../../../static/src/text/diff_view.tsx';
import { resting } from '../../../static/src/text/frames.ts';
import { type GrowingLog, LogTail, LogText } from '../../../static/src/text/log_view.tsx';
import { Markdown, StreamingMarkdown } from '../../../static/src/text/markdown.tsx';
import { Name } from '../../../static/src/text/name.tsx';
import { Prose } from '../../../static/src/text/prose.ts';
import { stream } from './stream.ts';
import { textOf } from './texts.ts';

const main = document.createElement('main');
document.body.append(main);
const frame = () => new Promise((done) => requestAnimationFrame(done));

/** Until all is drawn, and two frames have passed in which nothing changed. */
async function settled(): Promise<void> {
  for (let quiet = 0, last = ''; quiet < 2; ) {
    await frame();
    const now = main.innerHTML;
    quiet = now === last && resting() ? quiet + 1 : 0;
    last = now;
  }
}

async function show(view: VNode): Promise<string> {
  render(null, main);
  render(view, main);
  await settled();
  return markup();
}

/** What is on the page, without what comes when there is time: colours, widths. */
function markup(): string {
  const copy = main.cloneNode(true) as HTMLElement;
  for (const row of copy.querySelectorAll('.rows')) row.textContent = row.textContent;
  for (const column of copy.querySelectorAll('col')) column.removeAttribute('style');
  return copy.innerHTML;
}

/** What a text becomes that was drawn after each of its cuts, all at once. */
function drawn(text: string, cuts: readonly number[], whole: boolean): string {
  const prose = new Prose();
  for (const cut of [...cuts, text.length]) {
    prose.grow(text.slice(0, cut), whole && cut === text.length);
    while (prose.step(Infinity) !== 'done');
  }
  return prose.node.outerHTML;
}

/** What it answers that grows right after it was drawn, and a second later. */
function hurried(text: string): string[] {
  const prose = new Prose();
  prose.grow(text);
  while (prose.step(0) === 'more');
  prose.grow(`${text}, and more`);
  return [prose.step(1), prose.step(1_000)];
}

/** How many paragraphs, items and rows each step draws of a text that came whole. */
function portions(text: string): number[] {
  const prose = new Prose();
  prose.grow(text, true);
  const drawn = [0];
  for (let next = ''; next !== 'done';) {
    next = prose.step(Infinity);
    drawn.push(prose.node.querySelectorAll('p, li, tbody > tr').length);
  }
  return drawn.slice(1).map((count, at) => count - drawn[at]!);
}

/** What a text becomes that was called whole while only a part of it was drawn. */
function closedEarly(text: string): string {
  const prose = new Prose();
  prose.grow(text);
  prose.step(0);
  prose.grow(text, true);
  while (prose.step(Infinity) !== 'done');
  return prose.node.outerHTML;
}

/** Of each change in a node: what kind it was, and which node of those that changed, by its number. */
async function changesIn(nodes: Iterable<Node>, grow: () => Promise<void>): Promise<string[]> {
  const records: MutationRecord[] = [];
  const observer = new MutationObserver((more) => void records.push(...more));
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  for (const node of nodes) observer.observe(node, all);
  await grow();
  records.push(...observer.takeRecords());
  observer.disconnect();
  const targets = [...new Set(records.map(({ target }) => target))];
  return records.map(({ type, target }) => `${type} ${target.nodeName} ${targets.indexOf(target)}`);
}

let growing = signal('');

async function growOn(pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    growing.value += piece;
    await frame();
  }
  await settled();
}

const room = {
  begin(text: string): Promise<string> {
    growing = signal(text);
    return show(<StreamingMarkdown text={growing} />);
  },
  growOn,
  /** What changed in what the selector finds now, while the text that was begun grew. */
  changes: (selector: string, pieces: readonly string[]) =>
    changesIn(main.querySelectorAll(selector), () => growOn(pieces)),
  markdown: (text: string) => show(<Markdown text={text} />),
  code: (text: string, language: string) => show(<Code text={text} language={language} />),
  diff: (before: string, after: string) => show(<Diff before={before} after={after} />),
  log: (text: string) => show(<LogText text={text} />),
  name: (text: string) => show(<Name text={text} />),

  drawn,
  hurried,
  portions,
  closedEarly,

  /** Grow as the text grows, one piece a frame; then the whole text takes its place. */
  async grow(pieces: readonly string[]): Promise<{ growing: string; whole: string; kept: boolean }> {
    const text = signal('');
    render(null, main);
    render(<StreamingMarkdown text={text} />, main);
    for (const piece of pieces) {
      text.value += piece;
      await frame();
    }
    await settled();
    const growing = markup();
    const first = main.querySelector('.prose')?.firstChild;
    render(<Markdown text={text.value} />, main);
    await settled();
    const kept = first === main.querySelector('.prose')?.firstChild;
    return { growing, whole: markup(), kept };
  },

  async growLog(pieces: readonly string[]): Promise<string> {
    const log = signal<GrowingLog | undefined>(undefined);
    render(null, main);
    render(<LogTail log={log} rows={8} />, main);
    let text = '';
    for (const piece of pieces) {
      text += piece;
      log.value = { text, skipped: 0, length: [...text].length, stale: false };
      await frame();
    }
    await settled();
    return markup();
  },
  settled,
  stream: (kind: string, tokens: number, perSecond: number) => stream(main, kind, tokens, perSecond),
  textOf,
};
Object.assign(window, { room });
