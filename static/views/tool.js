// One tool call: what it is about, how it goes, what it printed, and the question it may ask.

import { ApprovalForm } from './approval.js';
import { argumentsView } from './arguments.js';
import { h, setShown, setText } from './dom.js';
import { callSummary, count, seconds, toolWord } from '../words.js';

const PREVIEW_LINES = 3;
const SHOWN = 60_000; // characters of output that are put on the page; the end matters most

export class ToolView {
  #name = h('span', { class: 'tool-name' });
  #about = h('span', { class: 'tool-about' });
  #state = h('span', { class: 'tool-state' });
  #preview = h('pre', { class: 'preview' });
  #given = h('div');
  #output = h('pre', { class: 'output' });
  #cut = h('p', { class: 'under' });
  #details = h(
    'details',
    {},
    h(
      'summary',
      {},
      h('span', { class: 'tool-line' }, this.#name, this.#about, this.#state),
      this.#preview,
    ),
    h('div', { class: 'tool-body' }, this.#given, this.#output, this.#cut),
  );
  #ruling = h('p', { class: 'under' });
  #form = null;
  #drawn = null;
  node = h('article', { class: 'entry tool' }, this.#details, this.#ruling);

  constructor({ decide, sending }) {
    Object.assign(this, { decide, sending });
    this.#details.addEventListener('toggle', () => this.#body());
  }

  draw(entry) {
    this.#drawn = entry;
    const { state, tool, undone, ruling } = entry;
    this.node.className = `entry tool is-${state}${undone ? ' undone' : ''}`;
    setText(this.#name, tool);
    setText(this.#about, callSummary(entry));
    setText(this.#state, this.#word(entry));
    const printed = entry.output ?? entry.log.text;
    const lines = printed.slice(-4000).trimEnd().split('\n').slice(-PREVIEW_LINES).join('\n');
    setText(this.#preview, lines);
    setShown(this.#preview, lines !== '' && state !== 'asks' && tool !== 'plan');
    setText(this.#ruling, ruling ? this.#ruled(ruling) : '');
    setShown(this.#ruling, Boolean(ruling));
    this.#ask(entry);
    this.#body();
  }

  #word({ state, seconds: taken }) {
    return taken >= 0.05 ? `${toolWord(state)} · ${seconds(taken)}` : toolWord(state);
  }

  #ruled({ decision, by, feedback, arguments: edited, remember }) {
    const what = decision === 'approve' ? `Approved by ${by}` : `Rejected by ${by}`;
    const more = [
      edited ? 'with edited arguments' : '',
      remember ? 'and remembered for this session' : '',
    ];
    return [what, ...more].filter(Boolean).join(' ') + (feedback ? `: “${feedback}”` : '');
  }

  /** Only an open card pays for its contents. */
  #body() {
    if (!this.#details.open || !this.#drawn) return;
    const { arguments: given, malformed, output, log, truncated, size } = this.#drawn;
    const json = JSON.stringify(given);
    if (this.#given.dataset.json !== json) {
      this.#given.dataset.json = json;
      this.#given.replaceChildren(malformed ? h('pre', {}, malformed) : argumentsView(given));
    }
    const text = output ?? log.text;
    setText(this.#output, text.slice(-SHOWN));
    setShown(this.#output, text !== '');
    const hidden = Math.max(0, text.length - SHOWN) + (output === undefined ? log.skipped : 0);
    const cut = truncated
      ? `The whole output has ${count(size)} characters; the agent was shown this much.`
      : hidden > 0
        ? `${count(hidden)} characters before this are not shown.`
        : '';
    setText(this.#cut, cut);
    setShown(this.#cut, cut !== '');
  }

  #ask(entry) {
    if (entry.state !== 'asks') {
      this.#form?.node.remove();
      this.#form = null;
      return;
    }
    if (!this.#form) {
      this.#form = new ApprovalForm(entry, { decide: this.decide });
      this.node.append(this.#form.node);
    }
    this.#form.setSending(this.sending(entry.call));
  }

  /** The ruling as it stands in the form, for "approve all". */
  get approval() {
    return this.#form?.approval() ?? null;
  }
}
