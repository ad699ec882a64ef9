// What a call was given, laid out for reading.

import { h } from './dom.js';

/** Named values, text as it will be read rather than as JSON spells it. */
export function argumentsView(given) {
  const rows = Object.entries(given).map(([name, value]) => [
    h('dt', {}, name),
    h('dd', {}, h('pre', {}, typeof value === 'string' ? value : JSON.stringify(value, null, 2))),
  ]);
  return h('dl', { class: 'arguments' }, rows.flat());
}
