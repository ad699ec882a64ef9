// Images that a text names by their paths in the workspace. Pure.

const NAMED = /(?<![\w/:.-])(?:\.\/)?((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.(?:png|jpe?g|gif|webp))(?![\w/])/gi;
const MOST = 6;

/** Paths of images as they stand in a text, each once. */
export function imagesNamed(text: string): readonly string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(NAMED)) {
    if (match[1] && !match[1].includes('..')) found.add(match[1]);
    if (found.size >= MOST) break;
  }
  return [...found];
}

