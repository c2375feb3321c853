import { useEffect, useState } from 'react';

/** True once something has taken longer than a person notices: only then is it worth a skeleton. */
export function useLate(pending: boolean, after = 300): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!pending) return;
    const timer = setTimeout(() => setLate(true), after);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [pending, after]);
  return pending && late;
}
