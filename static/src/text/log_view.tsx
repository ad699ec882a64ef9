// What a tool prints: its last lines with colours while it runs, and a whole log afterwards.

import { effect, type ReadonlySignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { beyond } from '../store/growing.ts';
import { LIMITS } from './ansi.ts';
import { inFrames } from './frames.ts';
import { LogNode } from './log_node.ts';

const STEP = 32 * 1024;

/** As in the store: a text that lost `skipped` code points at its front. */
export interface GrowingLog {
  readonly text: string;
  readonly skipped: number;
  readonly length: number;
  readonly stale: boolean;
}

/** A log that grows; `rows` is how many lines are visible at once. */
export function LogTail(props: {
  readonly log: ReadonlySignal<GrowingLog | undefined>;
  readonly rows?: number;
}) {
  const host = useRef<HTMLDivElement>(null);
  const { log, rows } = props;
  useLayoutEffect(() => {
    const feed = new Feed(host.current!, rows);
    const stop = effect(() => feed.want(log.value));
    return () => {
      stop();
      feed.stop();
    };
  }, [log, rows]);
  return <div class="text" ref={host} />;
}

/** A log that is whole; its beginning is left out where it is too long. `bare`: without a bar. */
export function LogText(props: { readonly text: string; readonly rows?: number; readonly bare?: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const { text, rows, bare } = props;
  useLayoutEffect(() => {
    const node = new LogNode(false, bare);
    node.rows = rows;
    host.current!.replaceChildren(node.node);
    let at = Math.max(0, text.length - 2 * LIMITS.characters);
    const skipped = at;
    const step = (): 'more' | 'done' => {
      node.write(text.slice(at, at + STEP));
      at += STEP;
      node.draw(skipped);
      return at < text.length ? 'more' : 'done';
    };
    return step() === 'more' ? inFrames(step) : undefined;
  }, [text, rows, bare]);
  return <div class="text" ref={host} />;
}

/** Writes a growing log on its node, whatever of it is new, a step at a time. */
class Feed {
  readonly #host: HTMLElement;
  readonly #rows: number | undefined;
  #node: LogNode;
  #wanted: GrowingLog | null = null;
  #written = 0; // code points, with what was skipped
  #waiting = '';
  #stop: () => void = () => undefined;

  constructor(host: HTMLElement, rows: number | undefined) {
    this.#host = host;
    this.#rows = rows;
    this.#node = this.#begin();
  }

  want(log: GrowingLog | undefined): void {
    if (!log || log.stale) return;
    const again = log.length < this.#written;
    if (again) this.#node = this.#begin();
    const fresh = beyond(log.text, Math.max(0, this.#written - log.skipped));
    this.#waiting = (again ? '' : this.#waiting) + fresh;
    this.#written = log.length;
    this.#wanted = log;
    this.#stop();
    this.#stop = inFrames(() => this.#step());
  }

  stop(): void {
    this.#stop();
  }

  #begin(): LogNode {
    const node = new LogNode(true);
    node.rows = this.#rows;
    this.#host.replaceChildren(node.node);
    return node;
  }

  /** What would scroll out of the log at once is not even written. */
  #step(): 'later' | 'done' {
    const text = this.#waiting.slice(-2 * LIMITS.characters);
    this.#node.write(text.slice(0, STEP));
    this.#waiting = text.slice(STEP);
    this.#node.draw(this.#wanted?.skipped ?? 0);
    return this.#waiting === '' ? 'done' : 'later';
  }
}
