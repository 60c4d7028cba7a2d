// SPDX-License-Identifier: MIT
'use strict';

// Shows the description of this server. The policy of the page lets it ask nobody else.

const DESCRIPTION = '/openapi.json';
const SCHEME = 'bearer';
const GIVES_TOKEN = /\/v1\/auth\/(login|refresh)$/;

const dark = window.matchMedia('(prefers-color-scheme: dark)');

function follow() {
  document.documentElement.classList.toggle('dark-mode', dark.matches);
}

// A value that need not be given stays empty: the sample of If-Match, of a cursor or of an
// Idempotency-Key would make a call fail that is right without it.
function dropSamples(node) {
  if (node === null || typeof node !== 'object') {
    return;
  }
  if (typeof node.in === 'string' && node.name && !node.required) {
    delete node.example;
    delete node.examples;
    delete node.schema?.example;
    delete node.schema?.examples;
  }
  Object.values(node).forEach(dropSamples);
}

function withoutSamples(text) {
  const description = JSON.parse(text);
  dropSamples(description.components.parameters);
  for (const path of Object.values(description.paths)) {
    dropSamples(path.parameters);
    Object.values(path).forEach((call) => dropSamples(call.parameters));
  }
  return JSON.stringify(description);
}

// Who logs in with "Try it out" need not copy the token into the dialog.
function takeToken(text) {
  const schema = ui.specSelectors.securityDefinitions().get(SCHEME);
  const value = JSON.parse(text).access_token;
  ui.authActions.authorizeWithPersistOption({ [SCHEME]: { name: SCHEME, schema, value } });
}

function look(response) {
  const path = new URL(response.url, location.href).pathname;
  if (response.ok && path === DESCRIPTION) {
    response.text = withoutSamples(response.text);
  } else if (response.ok && GIVES_TOKEN.test(path)) {
    takeToken(response.text);
  }
  return response;
}

follow();
dark.addEventListener('change', follow);

const ui = SwaggerUIBundle({
  dom_id: '#calls',
  url: DESCRIPTION,
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: true,
  responseInterceptor: look,
});
