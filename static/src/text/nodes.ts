// Making nodes and growing them in place: what is already on the page stays the same node.

type Child = Node | string;

/** An element with attributes and children; an attribute that is undefined is left out. */
export function make(
  tag: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: Child[]
): HTMLElement {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Let the children of `parent` from an index on look like `fresh`, touching what differs only. */
export function graft(parent: Node, from: number, fresh: readonly Node[]): void {
  let old = parent.childNodes[from] ?? null;
  for (const node of fresh) {
    if (old === node) {
      old = old.nextSibling;
    } else if (old === null) {
      parent.appendChild(node);
    } else {
      const next: ChildNode | null = old.nextSibling;
      if (!become(old, node)) parent.replaceChild(node, old);
      old = next;
    }
  }
  while (old !== null) {
    const next: ChildNode | null = old.nextSibling;
    parent.removeChild(old);
    old = next;
  }
}

/** Nodes that somebody keeps writing to: nothing else may turn into them. */
export const kept = new WeakSet<Node>();

function become(old: Node, fresh: Node): boolean {
  if (kept.has(fresh) || kept.has(old) || old.nodeName !== fresh.nodeName) return false;
  if (old instanceof Text && fresh instanceof Text) {
    if (fresh.data.startsWith(old.data)) old.appendData(fresh.data.slice(old.length));
    else old.data = fresh.data;
    return true;
  }
  if (old.isEqualNode(fresh)) return true;
  if (!old.cloneNode(false).isEqualNode(fresh.cloneNode(false))) return false;
  graft(old, 0, [...fresh.childNodes]);
  return true;
}
