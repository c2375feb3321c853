import { useState } from 'react';

/** A text as it was last: a dialog that fades away has lost what it was about, and keeps its title all the same. */
export function useLast(text: string | undefined): string | undefined {
  const [last, setLast] = useState(text);
  if (text && text !== last) setLast(text);
  return text || last;
}
