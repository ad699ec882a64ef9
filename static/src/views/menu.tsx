// A small menu: closed by Esc, by a choice and by a click beside it; arrows go through it.

import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

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
  useBeside(root, open, shut);
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

/** Tells of a click or of a focus elsewhere. */
function useBeside(root: RefObject<HTMLElement | null>, open: Signal<boolean>, tell: () => void): void {
  useEffect(() => {
    if (!open.value) return undefined;
    const beside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) tell();
    };
    document.addEventListener('pointerdown', beside);
    document.addEventListener('focusin', beside);
    return () => {
      document.removeEventListener('pointerdown', beside);
      document.removeEventListener('focusin', beside);
    };
  }, [open.value]);
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

/** An item that closes the menu and does what it says. */
export function Choice(props: {
  readonly close: () => void;
  readonly label: string;
  readonly run: () => void;
  readonly bad?: boolean;
  readonly disabled?: boolean;
  readonly title?: string | undefined;
}): JSX.Element {
  return (
    <button
      type="button"
      role="menuitem"
      title={props.title}
      class={props.bad ? 'button bad' : 'button'}
      disabled={props.disabled ?? false}
      onClick={() => {
        props.close();
        props.run();
      }}
    >
      {props.label}
    </button>
  );
}
