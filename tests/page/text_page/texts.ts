// Texts of any length, one for each way in which a text can be long.

const MIXED = `## A heading with \`code\`

A paragraph with **bold**, *emphasis*, [a link](https://example.com/page) and more words that go on
for a while, over two lines or three.

- first item with words
- second item, **longer** than the first
  - a nested one

\`\`\`python
def greet(name: str) -> str:
    # say hello
    return f"Hello, {name}! {1 + 2}"
\`\`\`

| Step | Takes | Note |
|------|------:|------|
| read | 2 ms | fast |
| write | 4 ms | slower |

1. one
2. two

> quoted words that somebody said

`;
const UNITS: Readonly<Record<string, readonly [start: string, unit: string]>> = {
  mixed: ['', MIXED],
  fence: ['\`\`\`python\n', '    value = compute(index, "text", 3.14)  # note\n'],
  list: ['', '- an item with **bold** words and \`code\` in it, on one line\n'],
  table: ['| a | b | c |\n|---|---|---|\n', '| cell one | **two** and more | 3.14 |\n'],
};

/** The text of so many tokens of four characters. */
export function textOf(kind: string, tokens: number): string {
  const [start, unit] = UNITS[kind]!;
  return (start + unit.repeat(Math.ceil((tokens * 4) / unit.length))).slice(0, tokens * 4);
}
