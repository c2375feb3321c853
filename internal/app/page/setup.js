'use strict';

// The token stands behind #, so that no server or proxy logs it.
const form = document.getElementById('form');
const said = document.getElementById('said');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  said.textContent = '';
  button.disabled = true;
  const values = new FormData(form);
  try {
    const answer = await fetch('/v1/setup', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        token: location.hash.slice(1),
        name: values.get('name'),
        email: values.get('email'),
        password: values.get('password'),
      }),
    });
    if (answer.ok) {
      form.hidden = true;
      document.getElementById('done').hidden = false;
      history.replaceState(null, '', location.pathname);
      return;
    }
    const problem = await answer.json();
    said.textContent = (problem.errors && problem.errors[0] && problem.errors[0].message) || problem.detail;
  } catch {
    said.textContent = '没有连上服务器，数据没有变，请重试。 The server did not answer. Nothing changed. Try again.';
  } finally {
    button.disabled = false;
  }
});
