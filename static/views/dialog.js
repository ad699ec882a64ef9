// Questions that stand in front of everything: the native dialog, so that focus and Esc just work.

import { button, h } from './dom.js';

function open(...content) {
  const dialog = h('dialog', {}, ...content);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Resolves to true or false. */
export function confirm({ title, text, yes }) {
  return new Promise((resolve) => {
    const dialog = open(
      h('h2', {}, title),
      h('p', {}, text),
      h(
        'form',
        { method: 'dialog', class: 'row end' },
        h('button', { class: 'quiet', value: '' }, 'Cancel'),
        h('button', { class: 'danger', value: 'yes' }, yes),
      ),
    );
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'));
  });
}

/** Resolves to the new text, or null. */
export function askText({ title, value, yes }) {
  return new Promise((resolve) => {
    const field = h('input', { type: 'text', maxlength: 200, 'aria-label': title });
    field.value = value;
    const form = h(
      'form',
      { method: 'dialog' },
      field,
      h(
        'div',
        { class: 'row end' },
        h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close('') }, 'Cancel'),
        h('button', { class: 'primary', value: 'yes' }, yes),
      ),
    );
    const dialog = open(h('h2', {}, title), form);
    field.select();
    dialog.addEventListener('close', () =>
      resolve(dialog.returnValue === 'yes' && field.value.trim() ? field.value.trim() : null),
    );
  });
}

/** A panel with a close button; returns the dialog. */
export function panel(title, ...content) {
  const dialog = open(
    h(
      'div',
      { class: 'row between' },
      h('h2', {}, title),
      button('Close', () => dialog.close(), { class: 'quiet' }),
    ),
    ...content,
  );
  return dialog;
}
