// What opens over the page: native dialogs and small menus, both closed by Esc and by a click beside them.

import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../words/en.ts';
import { Icon, type IconName } from './icons.tsx';

export function Dialog(props: {
  readonly heading: string;
  readonly close: () => void;
  readonly class?: string;
  readonly bare?: boolean;
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
      {!props.bare && (
        <header>
          <h2>{props.heading}</h2>
          <button type="button" class="button icon" aria-label={words.close} onClick={props.close}>
            <Icon name="close" />
          </button>
        </header>
      )}
      {props.children}
    </dialog>
  );
}

function outside({ clientX, clientY }: MouseEvent, node: Element): boolean {
  const { left, right, top, bottom } = node.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

export function Menu(props: {
  readonly label: string;
  readonly icon?: IconName;
  readonly children: (close: () => void) => ComponentChildren;
}): JSX.Element {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const shut = (): void => {
    open.value = false;
  };
  useEffect(() => {
    if (!open.value) return;
    const beside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) shut();
    };
    document.addEventListener('pointerdown', beside);
    document.addEventListener('focusin', beside);
    return () => {
      document.removeEventListener('pointerdown', beside);
      document.removeEventListener('focusin', beside);
    };
  }, [open.value]);
  return (
    <div
      ref={root}
      class={open.value ? 'menu opened' : 'menu'}
      onKeyDown={(event) => steer(event, root.current, open)}
    >
      <button
        type="button"
        class="button icon"
        aria-label={props.label}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name={props.icon ?? 'more'} />
      </button>
      {open.value && (
        <div class="menu-sheet" role="menu" aria-label={props.label}>
          {props.children(shut)}
        </div>
      )}
    </div>
  );
}

/** Esc closes and goes back to the button; arrows go through the items. */
function steer(event: KeyboardEvent, root: HTMLElement | null, open: Signal<boolean>): void {
  if (!root || !open.value) return;
  const items = [...root.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  if (event.key === 'Escape') {
    open.value = false;
    root.querySelector<HTMLElement>('button')?.focus();
  } else if (event.key === 'ArrowDown') items[(at + 1) % items.length]?.focus();
  else if (event.key === 'ArrowUp') items.at(at < 0 ? -1 : at - 1)?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function Item(props: {
  readonly onClick: () => void;
  readonly bad?: boolean;
  readonly disabled?: boolean;
  readonly title?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <button
      type="button"
      role="menuitem"
      title={props.title}
      class={props.bad ? 'button bad' : 'button'}
      disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
