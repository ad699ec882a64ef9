// Streams as a model writes them, and how smooth the page stays meanwhile.

import { signal } from '@preact/signals';
import { h, render } from 'preact';
import { type GrowingLog, LogTail } from '../../../static/src/text/log_view.tsx';
import { StreamingMarkdown } from '../../../static/src/text/markdown.tsx';
import { textOf } from './texts.ts';

export interface Smoothness {
  readonly seconds: number;
  readonly gaps: readonly number[]; // milliseconds between frames
  readonly tasks: readonly number[]; // milliseconds of every task above 50
  readonly shown: number; // characters on the page
}

export async function stream(main: HTMLElement, kind: string, tokens: number, perSecond: number) {
  render(null, main);
  if (kind === 'log') return measured(main, growLog(main, tokens, perSecond));
  if (kind === 'nothing') return measured(main, (seconds) => seconds * perSecond >= tokens);
  const whole = textOf(kind, tokens);
  const text = signal('');
  render(h(StreamingMarkdown, { text }), main);
  return measured(main, (seconds) => {
    const length = Math.floor(seconds * perSecond) * 4;
    text.value = whole.slice(0, length);
    return length >= whole.length;
  });
}

/** Lines of a tool, `perSecond` of them. */
function growLog(main: HTMLElement, lines: number, perSecond: number) {
  const log = signal<GrowingLog | undefined>(undefined);
  render(h(LogTail, { log }), main);
  let written = 0;
  let text = '';
  let length = 0;
  return (seconds: number): boolean => {
    for (; written < Math.min(lines, seconds * perSecond); written += 1) {
      const line = `\u001b[32mstep ${written}\u001b[0m loss=0.123 of a training run that says a lot\n`;
      text += line;
      length += line.length;
    }
    text = text.slice(-200_000);
    log.value = { text, skipped: length - text.length, length, stale: false };
    return written >= lines;
  };
}

/** Ticks between frames, as messages of a socket come, until `feed` says that it was all. */
async function measured(main: HTMLElement, feed: (seconds: number) => boolean): Promise<Smoothness> {
  const gaps: number[] = [];
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const task of list.getEntries()) tasks.push(task.duration);
  });
  observer.observe({ type: 'longtask' });
  const begun = performance.now();
  let last = begun;
  let over = false;
  const ticking = setInterval(() => (over ||= feed((performance.now() - begun) / 1000)), 16);
  while (!over) {
    const now = await new Promise<number>((done) => requestAnimationFrame(done));
    gaps.push(now - last);
    last = now;
    main.scrollTop = main.scrollHeight; // as one who reads along
  }
  clearInterval(ticking);
  const seconds = (performance.now() - begun) / 1000;
  await new Promise((done) => setTimeout(done, 200));
  observer.disconnect();
  return { seconds, gaps, tasks, shown: main.textContent?.length ?? 0 };
}
