// Servers of tools where a person has an account of their own: connected here, and parted with.

import type { JSX } from 'preact';
import type { Call } from '../link/api.ts';
import { connectServer, disconnectServer, type ToolServer, toolServersOf } from '../session/account.ts';
import { words } from '../words/en.ts';
import { useKeptList } from './kept_list.ts';

/** Nothing where no server wants a log-in. */
export function ToolServers({ call }: { readonly call: Call }): JSX.Element | null {
  const { items, wrong, attempt } = useKeptList(() => toolServersOf(call));
  const servers = (items.value ?? []).filter(({ oauth }) => oauth);
  if (servers.length === 0 && !wrong.value) return null;
  return (
    <section>
      <h3>{words.settings.servers}</h3>
      <p class="under">{words.settings.aboutServers}</p>
      {wrong.value && (
        <p class="problem" role="alert">
          {wrong}
        </p>
      )}
      <ul class="file-list">
        {servers.map((server) => (
          <Server
            key={server.name}
            server={server}
            change={() => void attempt(() => (server.connected ? disconnectServer : connectServer)(call, server.name))}
          />
        ))}
      </ul>
    </section>
  );
}

function Server({ server, change }: { readonly server: ToolServer; readonly change: () => void }): JSX.Element {
  const { name, connected } = server;
  const says = connected ? words.settings.disconnect : words.settings.connect;
  return (
    <li>
      <code class="grow">{name}</code>
      {connected && <span class="under">{words.settings.connected}</span>}
      <button type="button" class="button outlined small" aria-label={`${says} ${name}`} onClick={change}>
        {says}
      </button>
    </li>
  );
}
