// Building nodes: text is only ever text, and lists are redrawn by key.

/** h('button', {class: 'quiet', onclick: f}, 'Stop'): children are nodes, strings or nothing. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(name, String(value));
  }
  fill(node, ...children);
  return node;
}

/** Put these in place of what is there; nothing is a child too. */
export function fill(node, ...children) {
  node.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
}

export function button(label, onclick, attributes = {}) {
  return h('button', { type: 'button', onclick, ...attributes }, label);
}

/** Touch the page only when something differs. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setShown(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** The children of `parent`, one view {node, draw} for each key. */
export class Keyed {
  #views = new Map();

  constructor(parent, key, make) {
    Object.assign(this, { parent, key, make });
  }

  draw(items, context) {
    const gone = new Set(this.#views.keys());
    let place = this.parent.firstChild;
    for (const item of items) {
      const key = this.key(item);
      gone.delete(key);
      const view = this.#views.get(key) ?? this.#add(key, item);
      if (view.item !== item || view.context !== context) view.view.draw(item, context);
      Object.assign(view, { item, context });
      if (view.view.node === place) place = place.nextSibling;
      else this.parent.insertBefore(view.view.node, place);
    }
    for (const key of gone) {
      this.#views.get(key).view.node.remove();
      this.#views.delete(key);
    }
  }

  #add(key, item) {
    const view = { view: this.make(item), item: undefined, context: undefined };
    this.#views.set(key, view);
    return view;
  }
}
