// A fenced block of code, line by line.

const OPENING = /^( {0,3})(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})([^\n]*)(?:\n|$)/;

export interface Fence {
  readonly language: string;
  /** How long the opening line is. */
  readonly opening: number;
  /** Take the whole lines at the start of `text`, as far as the closing line. */
  read(text: string): { text: string; taken: number; closed: boolean };
  /** The last, unfinished line as it is shown. */
  unfinished(line: string): string;
  /** The code in a whole block. */
  all(raw: string): string;
}

/** The fence that a block opens with, if it does. */
export function fenceIn(raw: string): Fence | null {
  const found = OPENING.exec(raw);
  if (!found) return null;
  const [whole, indent = '', marks = '', info = ''] = found;
  const line = (text: string): string => {
    let from = 0;
    while (from < indent.length && text[from] === ' ') from += 1;
    return text.slice(from);
  };
  const closes = (text: string): boolean => {
    const start = /^ {0,3}/.exec(text)![0].length;
    let end = text.length;
    while (text[end - 1] === ' ') end -= 1;
    if (end - start < marks.length) return false;
    for (let at = start; at < end; at += 1) if (text[at] !== marks[0]) return false;
    return true;
  };
  const read = (text: string) => {
    let code = '';
    let taken = 0;
    for (let end; (end = text.indexOf('\n', taken)) >= 0; taken = end + 1) {
      const one = text.slice(taken, end);
      if (closes(one)) return { text: code, taken: end + 1, closed: true };
      code += `${line(one)}\n`;
    }
    return { text: code, taken, closed: false };
  };
  const unfinished = (text: string) => (closes(text) ? '' : line(text));
  return {
    language: /^\s*([\w+#.-]{0,40})/.exec(info)![1]!.toLowerCase(),
    opening: whole.length,
    read,
    unfinished,
    all(text) {
      const body = text.slice(whole.length);
      const { text: code, taken, closed } = read(body);
      return closed ? code : code + unfinished(body.slice(taken));
    },
  };
}
