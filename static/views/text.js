// What the agent says: a small, safe Markdown, block by block; finished blocks stay untouched.

import { button, h } from './dom.js';

const PLAIN_ABOVE = 20_000; // characters of one block; longer ones are shown as they are
const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const BULLET = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ROW = /^\s*\|.*\|\s*$/;
const INLINE = new RegExp(
  [
    '`([^`\\n]{1,1000})`',
    '\\*\\*([^*\\n]{1,1000})\\*\\*',
    '(?<![\\w*])\\*([^*\\s][^*\\n]{0,500})\\*(?![\\w*])',
    '\\[([^\\]\\n]{1,300})\\]\\((https?:\\/\\/[^\\s()]{1,1000})\\)',
    '(https?:\\/\\/[^\\s<>"\'`)\\]]{1,1000})',
  ].join('|'),
  'g',
);

/** Split into [{start, kind, lines, ...}]; all but the last two are final when text is appended. */
export function blocks(text, from = 0) {
  const found = [];
  let at = from;
  let block = null;
  for (const line of text.slice(from).split('\n')) {
    block = place(found, block, line, at);
    at += line.length + 1;
  }
  return found;
}

function place(found, block, line, start) {
  if (block?.kind === 'fence') return inFence(block, line);
  if (!line.trim()) return null;
  const begin = (kind, more = {}) => {
    found.push({ start, kind, lines: [line], ...more });
    return found.at(-1);
  };
  const fence = FENCE.exec(line);
  if (fence) return begin('fence', { mark: fence[1], language: fence[2], lines: [] });
  if (HEADING.test(line)) return begin('heading') && null;
  if (RULE.test(line)) return begin('rule') && null;
  const kind = BULLET.test(line)
    ? 'list'
    : QUOTE.test(line)
      ? 'quote'
      : ROW.test(line)
        ? 'table'
        : 'paragraph';
  const goesOn = block && (block.kind === kind || (block.kind === 'list' && kind === 'paragraph'));
  if (!goesOn) return begin(kind);
  block.lines.push(line);
  return block;
}

function inFence(block, line) {
  const mark = line.trim();
  if (mark.length >= block.mark.length && mark === block.mark[0].repeat(mark.length)) return null;
  block.lines.push(line);
  return block;
}

/** One growing text on the page. */
export class Prose {
  node = h('div', { class: 'prose' });
  #text = '';
  #blocks = [];

  draw(text) {
    if (text === this.#text) return;
    if (!text.startsWith(this.#text)) this.#restart();
    const open = this.#blocks.splice(-2);
    for (const block of blocks(text, open[0]?.block.start ?? 0)) {
      while (open.length && open[0].block.start < block.start) open.shift().node.remove();
      const old = open[0]?.block.start === block.start ? open.shift() : null;
      this.#blocks.push({ block, node: this.#put(block, old, open[0]?.node ?? null) });
    }
    for (const { node } of open) node.remove();
    this.#text = text;
  }

  #restart() {
    this.node.replaceChildren();
    this.#blocks = [];
    this.#text = '';
  }

  #put(block, old, next) {
    const alike = old?.block.kind === block.kind && old.block.language === block.language;
    if (alike && same(old.block.lines, block.lines)) return old.node;
    if (alike && block.kind === 'fence') {
      growCode(old.node.querySelector('code'), block.lines.join('\n'));
      return old.node;
    }
    const node = RENDER[block.kind](block);
    if (old) old.node.replaceWith(node);
    else this.node.insertBefore(node, next);
    return node;
  }
}

const same = (some, others) =>
  some.length === others.length && some.every((line, at) => line === others[at]);

const RENDER = {
  paragraph: ({ lines }) => h('p', {}, inline(lines.join('\n'))),
  quote: ({ lines }) =>
    h('blockquote', {}, inline(lines.map((l) => l.replace(QUOTE, '')).join('\n'))),
  rule: () => h('hr'),
  heading({ lines }) {
    const [, marks, text] = HEADING.exec(lines[0]);
    return h(`h${Math.min(marks.length + 2, 6)}`, {}, inline(text));
  },
  fence({ lines, language }) {
    const code = h('code', {}, document.createTextNode(lines.join('\n')));
    const copy = button('Copy', () => copyText(code.textContent, copy), { class: 'copy' });
    return h(
      'figure',
      { class: 'code' },
      h('figcaption', {}, language || 'text', copy),
      h('pre', {}, code),
    );
  },
  list({ lines }) {
    const items = [];
    for (const line of lines) {
      const bullet = BULLET.exec(line);
      if (bullet) items.push({ deep: bullet[1].length > 1, number: bullet[2], text: bullet[3] });
      else items.at(-1).text += `\n${line.trim()}`;
    }
    const ordered = items[0].number !== undefined;
    const rows = items.map(({ deep, number, text }) =>
      h(
        'li',
        {
          class: deep ? `deep ${number ? 'decimal' : 'disc'}` : null,
          value: ordered ? number : null,
        },
        inline(text),
      ),
    );
    return h(ordered ? 'ol' : 'ul', { start: ordered ? items[0].number : null }, rows);
  },
  table({ lines }) {
    const cells = (line) =>
      line
        .trim()
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim());
    const ruled = lines.length > 1 && /^[\s|:-]+$/.test(lines[1]);
    const row = (line, tag) =>
      h(
        'tr',
        {},
        cells(line).map((cell) => h(tag, {}, inline(cell))),
      );
    const body = ruled ? lines.slice(2) : lines;
    const head = ruled ? h('thead', {}, row(lines[0], 'th')) : null;
    return h(
      'div',
      { class: 'table' },
      h(
        'table',
        {},
        head,
        h(
          'tbody',
          {},
          body.map((line) => row(line, 'td')),
        ),
      ),
    );
  },
};

function inline(text) {
  if (text.length > PLAIN_ABOVE) return [text];
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(at, match.index), span(match));
    at = match.index + match[0].length;
  }
  nodes.push(text.slice(at));
  return nodes.filter((node) => node !== '');
}

function span([, code, strong, soft, label, target, bare]) {
  if (code !== undefined) return h('code', {}, code);
  if (strong !== undefined) return h('strong', {}, inline(strong));
  if (soft !== undefined) return h('em', {}, soft);
  const href = target ?? bare;
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, label ?? bare);
}

function growCode(code, text) {
  const shown = code.firstChild;
  if (text.startsWith(shown.data)) shown.appendData(text.slice(shown.data.length));
  else shown.data = text;
}

async function copyText(text, copy) {
  try {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'Copied';
  } catch {
    copy.textContent = 'Select the text to copy it';
  }
  setTimeout(() => {
    copy.textContent = 'Copy';
  }, 1500);
}
