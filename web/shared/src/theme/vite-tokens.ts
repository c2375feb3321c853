import type { Plugin } from 'vite';
import { css } from './tokens.ts';

/** Gives the build `virtual:tokens.css`: the table of tokens as CSS variables, without a script in the page. */
export function tokens(): Plugin {
  const id = 'virtual:tokens.css';
  return {
    name: 'patron-tokens',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) => (source === `\0${id}` ? css() : undefined),
  };
}
