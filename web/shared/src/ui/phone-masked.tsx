import { maskPhone } from '../format/format.ts';

/** `138 **** 6027`. Showing the whole number is another request, and logged. */
export function PhoneMasked({ phone }: { phone: string }) {
  return <span style={{ whiteSpace: 'nowrap' }}>{maskPhone(phone)}</span>;
}
