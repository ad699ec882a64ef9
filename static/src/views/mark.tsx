// The sign of the house, as in public/icon.svg: in the page itself, where it costs no picture of its own.

import type { JSX } from 'preact';

export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f6a73" />
      <g fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round">
        <circle cx="16" cy="9" r="2.6" />
        <path d="M16 11.6V25M11 15.5h10M7.5 19c.6 4 4 6 8.500 6s7.900-2 8.500-6" />
      </g>
    </svg>
  );
}
