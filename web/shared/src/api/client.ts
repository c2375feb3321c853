import createClient, { type Middleware } from 'openapi-fetch';
import { i18n } from '../i18n/i18n.ts';
import { ApiProblem } from './problem.ts';
import type { paths, Problem } from './schema.d.ts';

/** Asks for the person's language and turns every refusal into an ApiProblem. */
const manners: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', i18n.language ?? navigator.language) /* a request may go out before the texts are there */;
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw await problemOf(response);
  },
  onError() {
    const detail = i18n.t('ui:error.offline');
    return new ApiProblem({ code: 'offline', status: 0, title: detail, detail });
  },
};

async function problemOf(response: Response): Promise<ApiProblem> {
  const retry = Number(response.headers.get('Retry-After')) || undefined;
  if (response.headers.get('Content-Type')?.includes('json')) {
    return new ApiProblem((await response.json()) as Problem, retry);
  }
  const detail = i18n.t('ui:error.gateway', { status: response.status }); // a proxy before the server spoke
  return new ApiProblem({ code: 'gateway', status: response.status, title: detail, detail }, retry);
}

/**
 * The API, typed by api/openapi.json: `ok(api.GET('/v1/members/{ref}', { params: { path: { ref } } }))`.
 * The session travels as a cookie.
 */
// fetch is looked up at each call: a service worker or a test may have put another in its place.
export const api = createClient<paths>({ baseUrl: location.origin, fetch: (request) => fetch(request) });
api.use(manners);

/** The body of the answer. Refusals arrive as a rejected ApiProblem, so there is nothing else to check. */
export async function ok<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
