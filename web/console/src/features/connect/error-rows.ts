import { api } from '@patron/shared/api/client.ts';
import { parsed } from './csv.ts';

/** How much of an error file is looked at on the page; the file itself may be long. */
const head = 64 * 1024;

/** The first refused rows, with the reason of each, from the file that is there to be mended. */
export async function errorRows(id: string, most: number): Promise<string[][]> {
  const { response } = await api.GET('/v1/imports/{id}/errors', { params: { path: { id } }, parseAs: 'stream' });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    if (done) break;
    if (text.length > head) {
      await reader.cancel();
      text = text.slice(0, text.lastIndexOf('\n') + 1);
      break;
    }
  }
  return parsed(text).slice(0, most + 1);
}
