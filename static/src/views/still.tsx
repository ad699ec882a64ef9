// A view that is drawn again only when its props are others: what does not change costs nothing.

import type { Component, FunctionComponent, JSX } from 'preact';

export function still<P extends object>(View: FunctionComponent<P>): FunctionComponent<P> {
  function Still(this: Component<P>, props: P): JSX.Element {
    this.shouldComponentUpdate = (next: Readonly<P>) => differs(this.props as P, next as P);
    return <View {...props} />;
  }
  return Still as unknown as FunctionComponent<P>;
}

function differs<P extends object>(one: P, other: P): boolean {
  const names = Object.keys(other) as (keyof P)[];
  return names.length !== Object.keys(one).length || names.some((name) => one[name] !== other[name]);
}
