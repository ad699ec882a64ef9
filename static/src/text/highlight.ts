// Colours for code, once it is whole: the languages are fetched when needed, the work waits for idle time.

import type { HLJSApi, LanguageFn } from 'highlight.js';
import { whenIdle } from './idle.ts';
import { make } from './nodes.ts';

const LONGEST = 50 * 1024;

type Load = () => Promise<{ default: LanguageFn }>;
const LANGUAGES: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['python', () => import('highlight.js/lib/languages/python')],
  ['bash', () => import('highlight.js/lib/languages/bash')],
  ['json', () => import('highlight.js/lib/languages/json')],
  ['yaml', () => import('highlight.js/lib/languages/yaml')],
  ['javascript', () => import('highlight.js/lib/languages/javascript')],
  ['typescript', () => import('highlight.js/lib/languages/typescript')],
  ['diff', () => import('highlight.js/lib/languages/diff')],
  ['markdown', () => import('highlight.js/lib/languages/markdown')],
  ['xml', () => import('highlight.js/lib/languages/xml')],
  ['sql', () => import('highlight.js/lib/languages/sql')],
  ['ini', () => import('highlight.js/lib/languages/ini')],
]);
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['py', 'python'], ['python3', 'python'], ['sh', 'bash'], ['shell', 'bash'], ['zsh', 'bash'],
  ['console', 'bash'], ['yml', 'yaml'], ['js', 'javascript'], ['jsx', 'javascript'],
  ['ts', 'typescript'], ['tsx', 'typescript'], ['patch', 'diff'], ['md', 'markdown'],
  ['html', 'xml'], ['svg', 'xml'], ['toml', 'ini'], ['cfg', 'ini'], ['jsonl', 'json'],
]); // prettier-ignore

/** Colour the boxes of code in or at `node`, each in its turn; what cannot be coloured stays as it is. */
export function highlightIn(node: Element): void {
  const boxes = node.matches('figure.code') ? [node] : node.querySelectorAll('figure.code');
  for (const box of boxes) {
    const name = box.getAttribute('data-language') ?? '';
    const language = ALIASES.get(name) ?? name;
    const length = box.querySelector('code')?.textContent?.length ?? 0;
    const load = LANGUAGES.get(language);
    if (load && length > 0 && length <= LONGEST) whenIdle(() => void colour(box, language, load));
  }
}

async function colour(box: Element, language: string, load: Load): Promise<void> {
  const got = await loaded(load).catch(() => null);
  if (got === null) return; // The server is away: the code stays without colours.
  const [{ default: hljs }, { default: grammar }] = got;
  if (!hljs.getLanguage(language)) hljs.registerLanguage(language, grammar);
  const code = box.querySelector('code');
  const text = code?.textContent ?? '';
  const html = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  const rows = [...(code?.children ?? [])];
  const pieces = coloured(html, rows.map((row) => row.textContent?.length ?? 0));
  rows.forEach((row, at) => whenIdle(() => row.replaceChildren(...(pieces[at] ?? []))));
}

const loaded = (load: Load): Promise<[{ default: HLJSApi }, { default: LanguageFn }]> =>
  Promise.all([import('highlight.js/lib/core'), load()]);

const TOKEN = /<span class="([^"]*)">|<\/span>|&(amp|lt|gt|quot|#x27);|[^<&]+/g;
const ENTITY: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'" };

/** Nodes for rows of the given lengths, made from the few things that highlight.js writes: no HTML is parsed. */
function coloured(html: string, lengths: readonly number[]): Node[][] {
  const rows: Node[][] = lengths.map(() => []);
  const classes: string[] = [];
  let row = 0;
  let room = lengths[0] ?? 0;
  const put = (text: string): void => {
    const className = classes.findLast((name) => name !== '');
    rows[row]?.push(className ? make('span', { class: className }, text) : document.createTextNode(text));
  };
  for (const [token, opened, entity] of html.matchAll(TOKEN)) {
    if (opened !== undefined) classes.push(opened.startsWith('hljs-') ? opened : '');
    else if (token === '</span>') classes.pop();
    else {
      let text = entity ? ENTITY[entity]! : token;
      for (; text.length > room; room = lengths[(row += 1)] ?? Infinity) {
        if (room > 0) put(text.slice(0, room));
        text = text.slice(room);
      }
      put(text);
      room -= text.length;
    }
  }
  return rows;
}
