// Asks for what every first page needs while the program itself is still on its way (src/frame/ahead.ts).
const ask = (path) => fetch(`/portal/v1/${path}`).catch(() => undefined);
const me = ask('me');
window.patronAhead = { program: ask('program'), me, qr: me.then((answer) => (answer?.ok && !answer.headers.has('X-Patron-As-Of') ? ask('qr') : undefined)) };
