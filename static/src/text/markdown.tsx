// Markdown on the page: text that is whole, and text that grows while it is read.

import { effect, type ReadonlySignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { inFrames } from './frames.ts';
import { Prose } from './prose.ts';

const AT_ONCE_MS = 12;
const KEPT_MOST = 8;

// Proses that just left the page: the same text, now whole, goes on with its nodes.
const leaving: Prose[] = [];

/** Text that will not change any more. */
export function Markdown({ text }: { readonly text: string }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const at = leaving.findIndex((one) => one.canBecome(text));
    const [prose] = at < 0 ? [new Prose()] : leaving.splice(at, 1);
    host.current!.replaceChildren(prose!.node);
    prose!.grow(text, true);
    const end = performance.now() + AT_ONCE_MS;
    while (prose!.step(performance.now()) === 'more' && performance.now() < end);
    return inFrames((now) => prose!.step(now));
  }, [text]);
  return <div class="text" ref={host} />;
}

/** Text that grows at its end; what was closed is never touched again. */
export function StreamingMarkdown({ text }: { readonly text: ReadonlySignal<string> }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    let prose = new Prose();
    let stopStep: () => void = () => undefined;
    const stop = effect(() => {
      const next = text.value;
      if (!prose.canBecome(next)) prose = new Prose();
      if (prose.node.parentNode !== host.current) host.current!.replaceChildren(prose.node);
      prose.grow(next);
      stopStep();
      stopStep = inFrames((now) => prose.step(now));
    });
    return () => {
      stop();
      stopStep();
      leave(prose);
    };
  }, [text]);
  return <div class="text" ref={host} />;
}

function leave(prose: Prose): void {
  if (prose.text === '') return;
  leaving.push(prose);
  if (leaving.length > KEPT_MOST) leaving.shift();
  requestAnimationFrame(() => {
    const at = leaving.indexOf(prose);
    if (at >= 0) leaving.splice(at, 1);
  });
}
