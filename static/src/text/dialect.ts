// The Markdown that is spoken here: GitHub's, as marked reads it, in bounds that no text can leave.

import { Lexer, Parser, Renderer, Tokenizer, getDefaults } from 'marked';
import type { Links, MarkedOptions, Token, Tokens } from 'marked';

const DEEPEST = 16; // lists and quotes in one another
const LONGEST_HEADING = 1_000; // above its underline
const MOST_MARKS = 2_000; // in one piece: some inline syntax costs the square of them
const MARK = /[*_~`[\]<\\&!]/g;
const DEFINITION =
  /^ {0,3}\[((?:\\.|[^[\]\\\n^])(?:\\.|[^[\]\\\n]){0,200})\]: *(?:<([^<>\n]*)>|([^<\s]\S*))(?: +(?:"([^"\n]*)"|'([^'\n]*)'|\(([^()\n]*)\)))? *(?:\n+|$)/;

export const TAGS = (
  'a b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre ' +
  'q s samp small span strong sub sup table tbody td tfoot th thead tr u ul var'
).split(' ');
const KNOWN = new Set(TAGS);
const TAG = /<!--[^]*?(?:-->|$)|<(\/?)([a-z][\w-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>|[<>]/gi;
const ATTRIBUTE = /\b(href|src|alt|title|align|start)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/gi;
const ESCAPED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A piece of the page; the object stands for the place, so that it can be drawn again. */
export interface Piece {
  readonly source: string;
}

/** A block of a text, and where its source begins. */
export interface Span {
  readonly token: Token;
  readonly from: number;
}

class BoundedTokenizer extends Tokenizer {
  #depth = 0;

  override blockquote(source: string): Tokens.Blockquote | undefined {
    return this.#deeper(() => super.blockquote(source));
  }

  override list(source: string): Tokens.List | undefined {
    return this.#deeper(() => super.list(source));
  }

  /** An underline is looked for nearby only: each line of a long paragraph asks for it anew. */
  override lheading(source: string): Tokens.Heading | undefined {
    const end = source.indexOf('\n', LONGEST_HEADING);
    return super.lheading(end < 0 ? source : source.slice(0, end + 1));
  }

  /** Within one line: a title over several lines would let text far below undo what is above. */
  override def(source: string): Tokens.Def | undefined {
    const found = DEFINITION.exec(source);
    if (!found) return undefined;
    const [raw, label = '', bracketed, bare, ...titles] = found;
    const title = titles.find((one) => one !== undefined) ?? '';
    return { type: 'def', raw, tag: labelOf(label), href: (bracketed ?? bare)!, title };
  }

  #deeper<T>(read: () => T | undefined): T | undefined {
    if (this.#depth >= DEEPEST) return undefined;
    this.#depth += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }
}

class PlainRenderer extends Renderer {
  /** Tags are written anew from what is known of them; every other one is shown, so that nothing vanishes. */
  override html({ text }: Tokens.HTML | Tokens.Tag): string {
    return text.replace(TAG, (whole, slash = '', name = '', attributes = '') => {
      if (whole.startsWith('<!--')) return '';
      if (!KNOWN.has(name.toLowerCase())) return escaped(whole);
      const kept = slash ? [] : [...attributes.matchAll(ATTRIBUTE)];
      return `<${slash}${name}${kept.map(attribute).join('')}>`;
    });
  }

  /** Also within tags whose text marked would pass on as it is. */
  override text(token: Tokens.Text | Tokens.Escape): string {
    const inner = 'tokens' in token ? token.tokens : undefined;
    return inner ? this.parser.parseInline(inner) : escaped(token.text);
  }

  override checkbox({ checked }: Tokens.Checkbox): string {
    return checked ? '☑ ' : '☐ ';
  }
}

const attribute = ([, name, double, single, bare]: readonly string[]): string =>
  ` ${name}="${escaped((double ?? single ?? bare)!)}"`;

/** Character references stay what they are. */
const escaped = (text: string): string =>
  text.replace(/[<>"']|&(?!#\d{1,7};|#x[\da-f]{1,6};|\w+;)/gi, (one) => ESCAPED[one] ?? '&amp;');

const options: MarkedOptions = { ...getDefaults(), gfm: true, tokenizer: new BoundedTokenizer() };
const parser = new Parser({ ...options, renderer: new PlainRenderer() });

/** How the labels of links are compared. */
export const labelOf = (label: string): string => label.toLowerCase().replace(/\s+/g, ' ').trim();

/** The blocks of a text, without what is inside them; `links` takes the definitions. */
export function spansOf(source: string, links: Links = Object.create(null)): Span[] {
  const lexer = new Lexer(options);
  lexer.tokens.links = links;
  const spans: Span[] = [];
  let from = 0;
  for (const token of lexer.blockTokens(source, [])) {
    if (token.type !== 'space') spans.push({ token, from });
    from += token.raw.length;
  }
  return spans;
}

/** HTML, not clean yet, of a paragraph, a heading, a quote; null when it is to stay plain text. */
export function flowHtml(source: string, links: Links): string | null {
  return overloaded(source) ? null : parser.parse(tokensOf(source, links));
}

/** HTML of the inside of a list's item; it reads the same in a tight list and in a loose one. */
export function itemHtml(source: string, links: Links): string | null {
  if (overloaded(source)) return null;
  const list = tokensOf(source, links)[0] as Tokens.List | undefined;
  const tokens = list?.items?.[0]?.tokens ?? [];
  const box = tokens[0]?.type === 'checkbox' ? parser.parse(tokens.slice(0, 1)) : '';
  const rest = box ? tokens.slice(1) : tokens;
  return parser.parse(rest.map(asParagraph)).replace(/^<p>|^/, (start) => start + box);
}

/** HTML of a table: its header and the given rows. */
export function tableHtml(head: string, rows: readonly string[], links: Links): string {
  const kept = rows.map((row) => (overloaded(row) ? '' : row));
  return parser.parse(tokensOf(head + kept.map((row) => `${row || '|'}\n`).join(''), links));
}

export function overloaded(source: string): boolean {
  if (source.length <= MOST_MARKS) return false;
  return (source.match(MARK)?.length ?? 0) > MOST_MARKS;
}

function tokensOf(source: string, links: Links): Token[] {
  const lexer = new Lexer(options);
  lexer.tokens.links = Object.assign(Object.create(null), links);
  return lexer.lex(source);
}

const asParagraph = (token: Token): Token =>
  token.type === 'text' ? { ...token, type: 'paragraph' } : token;
