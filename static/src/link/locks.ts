// Which pages are alive, as other pages see it: each holds a lock of its own while it lives.

export interface Locks {
  /** Until this page is gone. */
  hold(name: string): void;
  /** Run once nobody holds that lock any more; the answer calls it off. */
  whenFree(name: string, run: () => Promise<void>): () => void;
}

/** Pages without Web Locks (plain http beyond loopback) take every other page for gone. */
export const without: Locks = {
  hold() {},
  whenFree(_name, run) {
    void run();
    return () => {};
  },
};

export function locksOf(manager: LockManager | undefined): Locks {
  if (manager === undefined) return without;
  return {
    hold(name) {
      void manager.request(name, () => new Promise<never>(() => {}));
    },
    whenFree(name, run) {
      const off = new AbortController();
      manager.request(name, { signal: off.signal }, run).catch(() => {});
      return () => off.abort();
    },
  };
}
