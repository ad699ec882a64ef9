// Files of a session's workspace: their list, and the addresses they are downloaded from.

import { type Call, type FileEntry, type FileList, filePath, sessionPath } from '../link/api.ts';

export async function filesOf(call: Call, session: string): Promise<readonly FileEntry[]> {
  return (await call<FileList>('GET', sessionPath(session, '/files'))).files;
}

/** For links with `download`. */
export const fileHref = (session: string, path: string): string => `/api${filePath(session, path)}`;
export const exportHref = (session: string, format: 'md' | 'jsonl'): string =>
  `/api${sessionPath(session, `/export?format=${format}`)}`;
