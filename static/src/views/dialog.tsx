// What opens over the page: a native dialog, closed by Esc and by a click beside it.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Icon } from './icons.tsx';

export function Dialog(props: {
  readonly heading: string;
  readonly close: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const node = dialog.current;
    node?.showModal();
    return () => node?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.class ?? ''}
      aria-label={props.heading}
      onClose={props.close}
      onKeyDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        if (event.target === dialog.current && outside(event, event.currentTarget)) props.close();
      }}
    >
      <header>
        <h2>{props.heading}</h2>
        <button type="button" class="button icon" aria-label={words.close} onClick={props.close}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

function outside({ clientX, clientY }: MouseEvent, node: Element): boolean {
  const { left, right, top, bottom } = node.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
