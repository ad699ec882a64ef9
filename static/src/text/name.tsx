// A name that somebody else chose (of a file, a tool, a person), shown so that it cannot deceive.

import { spelledName } from './hidden.ts';

/** Isolated from the text around it; characters that would reorder or hide it are spelled out. */
export function Name({ text }: { readonly text: string }) {
  return <bdi>{spelledName(text)}</bdi>;
}
