// What a call left in the workspace: its images, and links to everything else it named.

import type { JSX } from 'preact';
import { fileHref } from '../session/files.ts';
import type { ToolEntry } from '../store/state.ts';
import { Name } from '../text/name.tsx';
import { words } from '../words/en.ts';
import { Images } from './images.tsx';
import { imagesNamed, isImage } from './images_named.ts';

const SAID_AT_THE_END = 20_000; // characters of an output in which a name is looked for
const MOST_LINKS = 20;
/** Where the whole of an output is that was cut. */
const KEPT = '.mooring/outputs/';

export function LeftFiles({ session, entry }: { session: string; entry: ToolEntry }): JSX.Element {
  const { files = [], truncated } = entry;
  const named = entry.state === 'ok' ? imagesNamed(referring(entry)) : [];
  const others = files.filter((path) => !isImage(path)).slice(0, MOST_LINKS);
  return (
    <>
      <Images session={session} paths={[...new Set([...files.filter(isImage), ...named])]} />
      {others.length > 0 && (
        <p class="under left-files">
          {truncated && others[0]?.startsWith(KEPT) && <span>{words.tool.whole}</span>}
          {others.map((path) => (
            <a key={path} href={fileHref(session, path)} download aria-label={words.tool.download(path)}>
              <Name text={path} />
            </a>
          ))}
        </p>
      )}
    </>
  );
}

/** What may name an image that this call made or looked at. */
function referring({ arguments: given, output = '' }: ToolEntry): string {
  const said = Object.values(given).filter((value) => typeof value === 'string');
  return [...said, output.slice(-SAID_AT_THE_END)].join('\n');
}
