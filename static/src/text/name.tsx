// A name that somebody else chose (of a file, a tool, a person), shown so that it cannot deceive.

/** Isolated from the text around it; characters that would reorder or hide it are spelled out. */
export function Name(props: { readonly text: string }) {
  return <bdi>{props.text}</bdi>;
}
