// Colours and weights of a terminal as names of classes: the page allows no style of its own to a text.

export interface Look {
  readonly fore: number | null; // of the sixteen colours
  readonly back: number | null;
  readonly flags: number;
}

export const PLAIN: Look = { fore: null, back: null, flags: 0 };

const FLAGS = ['bold', 'dim', 'italic', 'underline', 'inverse', 'strike'];
const ON: ReadonlyMap<number, number> = new Map([[1, 0], [2, 1], [3, 2], [4, 3], [7, 4], [9, 5]]); // prettier-ignore
const OFF: ReadonlyMap<number, number> = new Map([[22, 0b11], [23, 0b100], [24, 0b1000], [27, 0b10000], [29, 0b100000]]); // prettier-ignore
const INVERSE = 1 << 4;
const PALETTE: readonly (readonly [number, number, number])[] = [
  [0, 0, 0], [205, 49, 49], [13, 188, 121], [229, 229, 16], [36, 114, 200], [188, 63, 188],
  [17, 168, 205], [204, 204, 204], [102, 102, 102], [241, 76, 76], [35, 209, 139], [245, 245, 67],
  [59, 142, 234], [214, 112, 214], [41, 184, 219], [255, 255, 255],
]; // prettier-ignore

/** The look after the parameters of one SGR sequence, as `1;38;5;208`. */
export function looking(old: Look, parameters: string): Look {
  let look = old;
  const numbers = parameters.split(/[;:]/).map((one) => Number(one || 0));
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at]!;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(at + 1));
      look = code === 38 ? { ...look, fore: colour } : { ...look, back: colour };
      at += used;
    } else {
      look = simple(look, code);
    }
  }
  return look;
}

/** The classes of a look, '' for a plain one. */
export function classesOf({ fore, back, flags }: Look): string {
  const swapped = (flags & INVERSE) !== 0 && (fore !== null || back !== null);
  const [front, behind] = swapped ? [back ?? 'paper', fore ?? 'ink'] : [fore, back];
  const names = FLAGS.filter((name, at) => flags & (1 << at) && !(swapped && name === 'inverse'));
  if (front !== null) names.push(`fore-${front}`);
  if (behind !== null) names.push(`back-${behind}`);
  return names.join(' ');
}

function simple(look: Look, code: number): Look {
  const on = ON.get(code);
  const off = OFF.get(code);
  if (code === 0) return PLAIN;
  if (on !== undefined) return { ...look, flags: look.flags | (1 << on) };
  if (off !== undefined) return { ...look, flags: look.flags & ~off };
  if (code >= 30 && code <= 37) return { ...look, fore: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, fore: code - 82 };
  if (code >= 40 && code <= 47) return { ...look, back: code - 40 };
  if (code >= 100 && code <= 107) return { ...look, back: code - 92 };
  if (code === 39) return { ...look, fore: null };
  if (code === 49) return { ...look, back: null };
  return look;
}

/** The colour that `5;n` or `2;r;g;b` names, and how many numbers that took. */
function extended([mode, first = 0, second = 0, third = 0]: readonly number[]): [number | null, number] {
  if (mode === 5) return [indexed(first), 2];
  if (mode === 2) return [nearest(first, second, third), 4];
  return [null, 0];
}

function indexed(index: number): number | null {
  if (index < 16) return index;
  if (index > 255) return null;
  if (index >= 232) return nearest(...grey((index - 232) * 10 + 8));
  const part = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const cube = index - 16;
  return nearest(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6));
}

const grey = (value: number): [number, number, number] => [value, value, value];

function nearest(red: number, green: number, blue: number): number {
  const far = PALETTE.map(([r, g, b]) => (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2);
  return far.indexOf(Math.min(...far));
}
