// Images of the workspace that a text or a call names. Pure.

const IMAGE = /\.(?:png|jpe?g|gif|webp)$/i;
/** The workspace as commands know it; paths are told without. */
const HOME = /^(?:\/workspace\/|\.\/)/;
const NAMED =
  /(?<![\w/:.-])(?:\/workspace\/|\.\/)?((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.(?:png|jpe?g|gif|webp))(?![\w/])/gi;
/** `![words](source)`: the source may have spaces, as it is or spelled `%20`. */
const DRAWN = /!\[[^\]\n]*\]\([ \t]*(?:<([^<>\n]+)>|([^\s()<>]+))/g;
const MOST = 6;

export const isImage = (path: string): boolean => IMAGE.test(path);

/** Paths of images as they stand in a text, each once. */
export function imagesNamed(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [, bracketed, bare = ''] of text.matchAll(DRAWN)) {
    const path = pathOf(bracketed ?? bare);
    if (path !== null && found.size < MOST) found.add(path);
  }
  for (const [, path = ''] of text.replaceAll(DRAWN, ' ').matchAll(NAMED)) {
    if (!path.includes('..') && found.size < MOST) found.add(path);
  }
  return [...found];
}

/** Of what was drawn: null where it leads anywhere but to an image of the workspace. */
function pathOf(source: string): string | null {
  const path = decoded(source).replace(HOME, '');
  const isElsewhere = /^[/\\]|^[a-z][a-z\d+.-]*:|[?#\\]|(?:^|\/)\.\.(?:\/|$)/i.test(path);
  return isElsewhere || !isImage(path) ? null : path;
}

function decoded(source: string): string {
  try {
    return decodeURIComponent(source);
  } catch (error) {
    if (error instanceof URIError) return source;
    throw error;
  }
}
