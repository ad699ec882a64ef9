// What went wrong, and what to do about it: a few lines that go by themselves or when dismissed.

import { remedy } from '../words.js';
import { button, h } from './dom.js';

const AT_MOST = 3;
const SHOWN_MS = 12_000;

export class Toasts {
  node = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

  tell(code, message) {
    const known = [...this.node.children].find((child) => child.dataset.code === code);
    known?.remove();
    while (this.node.children.length >= AT_MOST) this.node.firstChild.remove();
    const toast = h(
      'div',
      { class: 'toast', 'data-code': code },
      h('span', {}, `${message} ${remedy(code)}`.trim()),
      button('×', () => toast.remove(), { class: 'link', 'aria-label': 'Dismiss' }),
    );
    this.node.append(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
