/** A date of the API (2027-04-01) as an instant that is on this date everywhere; with a shift, days later. */
export const noon = (date: string, shift = 0): string => new Date(Date.parse(`${date}T12:00:00Z`) + shift * 86_400_000).toISOString();
