type Name = 'program' | 'me' | 'qr';

declare global {
  interface Window {
    /** What public/ahead.js asked for before the program stood. */
    patronAhead?: Partial<Record<Name, Promise<Response | undefined>>>;
  }
}

/** The answer that was asked for ahead, once; nothing where it failed, so that it is asked for again. */
export async function ahead(name: Name): Promise<Response | undefined> {
  const early = window.patronAhead?.[name];
  delete window.patronAhead?.[name];
  const answer = await early;
  if (answer && !answer.ok) await answer.arrayBuffer(); // unread, it would hold its connection
  return answer;
}
