// What cleaned nodes become before they are shown: links that say where they lead, boxes of code.

import { words } from '../words/en.ts';
import { codeBox } from './code_box.ts';
import { address, unsaidPlace } from './links.ts';
import { make } from './nodes.ts';

/** Change the nodes in place; nothing of them has been on the page yet. */
export function decorate(nodes: DocumentFragment): DocumentFragment {
  for (const image of nodes.querySelectorAll('img')) image.replaceWith(linkToImage(image));
  for (const link of nodes.querySelectorAll('a')) settleLink(link);
  for (const pre of nodes.querySelectorAll('pre')) pre.replaceWith(boxOf(pre));
  for (const table of nodes.querySelectorAll('table')) {
    const scroll = scroller();
    table.replaceWith(scroll);
    scroll.append(table);
  }
  return nodes;
}

/** A table may be wider than the page: it scrolls in its own box. */
export const scroller = (): HTMLElement =>
  make('div', { class: 'wide', tabindex: '0', role: 'group', 'aria-label': words.text.table });

/** A remote image would tell its server who reads this, and when: it stays a link. */
function linkToImage(image: HTMLImageElement): Node {
  const source = image.getAttribute('src');
  const text = image.alt || words.text.image;
  return source === null ? document.createTextNode(text) : make('a', { href: source }, text);
}

function settleLink(link: HTMLAnchorElement): void {
  const target = address(link.getAttribute('href') ?? '');
  if (target === null) {
    link.replaceWith(...link.childNodes);
    return;
  }
  const place = unsaidPlace(target, link.textContent ?? '');
  const inside = make('bdi');
  inside.append(...link.childNodes);
  link.append(inside);
  link.href = target.href;
  link.rel = 'noopener noreferrer nofollow';
  link.target = '_blank';
  if (place !== null) link.append(make('bdi', { class: 'place' }, place));
}

function boxOf(pre: HTMLElement): HTMLElement {
  const [, language = ''] = /language-(\S+)/.exec(pre.querySelector('code')?.className ?? '') ?? [];
  return codeBox(pre.textContent ?? '', language.toLowerCase());
}
