// A piece of code: its language, a copy button, wrapping on demand, colours when it is whole.

import { useLayoutEffect, useRef } from 'preact/hooks';
import { codeBox } from './code_box.ts';
import { spelledOut } from './hidden.ts';
import { highlightIn } from './highlight.ts';

export function Code(props: {
  readonly text: string;
  readonly language?: string;
  readonly label?: string;
}) {
  const { text, language = '', label } = props;
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = codeBox(spelledOut(text), language, label);
    host.current!.replaceChildren(box);
    highlightIn(box);
  }, [text, language, label]);
  return <div class="text" ref={host} />;
}
