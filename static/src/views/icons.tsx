// The few pictures on the page, drawn in one stroke; words beside them or an aria-label say the same.

import type { JSX } from 'preact';

const paths = {
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  chevron: 'M9 6l6 6-6 6',
  back: 'M15 6l-6 6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  up: 'M12 19V5M6 11l6-6 6 6',
  fold: 'M6 9l6 6 6-6',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  circle: 'M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14Z',
  half: 'M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM12 8v4l2.5 2',
  dash: 'M6 12h12',
  alert: 'M12 8v5M12 16.5h.01M12 3.5l9 16.5H3Z',
  question: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.5 9.5a2.5 2.5 0 1 1 3.7 2.2c-.8.4-1.2.9-1.2 1.8M12 16.8h.01',
  clip: 'M20 11.5l-8 8a5 5 0 0 1-7.1-7.1l8.3-8.3a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.2a1.6 1.6 0 0 1-2.3-2.3l7.4-7.4',
  stop: 'M7 7h10v10H7Z',
  panel: 'M4 5h16v14H4ZM15 5v14',
  list: 'M4 5h16v14H4ZM9 5v14',
  copy: 'M9 9h10v11H9ZM15 9V4H5v11h4',
  keyboard: 'M3 6h18v12H3ZM7 10h.01M11 10h.01M15 10h.01M8 14h8',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM5 20a7 7 0 0 1 14 0',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3 2',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, class: more = '' }: { name: IconName; class?: string }): JSX.Element {
  return (
    <svg
      class={more}
      viewBox="0 0 24 24"
      width="18"
      height="18"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 2.6 : 1.8}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
