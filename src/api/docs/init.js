// SPDX-License-Identifier: MIT
'use strict';

// Shows the description of this server. The policy of the page lets it ask nobody else.

const DESCRIPTION = '/openapi.json';
const SCHEME = 'bearer';
const GIVES_TOKEN = /\/v1\/auth\/(login|refresh)$/;
const LOGOUT = /\/v1\/auth\/logout$/;
const DELETION = /\/v1\/me\/deletion$/;

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const base = location.pathname.replace(/\/docs$/, '');

let refused = false; // the server answered 401 to the token that the page holds

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

// The description as this page shows it: the calls go to the server of the page, which is the only
// one that the policy allows.
function prepare(text) {
  const description = JSON.parse(text);
  description.servers = [{ url: base || '/' }];
  dropSamples(description.components.parameters);
  for (const path of Object.values(description.paths)) {
    dropSamples(path.parameters);
    Object.values(path).forEach((call) => dropSamples(call.parameters));
  }
  for (const tag of description.tags) {
    const place = ['operations-tag', tag.name];
    // A link to one of its calls (/docs#/Service/getReadiness) has opened it by now.
    if (tag['x-folded'] && !ui.layoutSelectors.isShown(place, false)) {
      ui.layoutActions.show(place, false);
    }
  }
  return JSON.stringify(description);
}

// Who logs in here need not copy the token into the dialog.
function takeToken(text) {
  const schema = ui.specSelectors.securityDefinitions().get(SCHEME);
  const value = JSON.parse(text).access_token;
  refused = false;
  ui.authActions.authorizeWithPersistOption({ [SCHEME]: { name: SCHEME, schema, value } });
}

function heldToken(authSelectors) {
  return authSelectors.authorized()?.getIn([SCHEME, 'value']);
}

// The sample of a body is for who has no access token any more: beside one it is refused.
function send(request) {
  if (LOGOUT.test(request.url) && request.headers.Authorization) {
    delete request.body;
    delete request.headers['Content-Type'];
  }
  return request;
}

function look(response) {
  const path = new URL(response.url, location.href).pathname;
  if (response.ok && path === DESCRIPTION) {
    response.text = prepare(response.text);
  } else if (response.ok && GIVES_TOKEN.test(path)) {
    takeToken(response.text);
  } else if (response.ok && (LOGOUT.test(path) || DELETION.test(path))) {
    ui.authActions.logoutWithPersistOption([SCHEME]);
  } else if (!GIVES_TOKEN.test(path) && heldToken(ui.authSelectors)) {
    refused = response.status === 401;
  }
  return response;
}

// When a token expires, in words; nothing of a text that is none of our tokens.
function untilOf(token) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return `, until ${new Date(claims.exp * 1000).toLocaleTimeString([], { timeStyle: 'short' })}`;
  } catch {
    return '';
  }
}

// What the line beside "Authorize" says.
function noteOf(token) {
  if (!token) {
    return 'Not logged in. Run register, then login (open each, press Execute). The page then sends the token with every call.';
  }
  if (refused) {
    return 'The server refused the token: it has expired, or its session has ended. Run login again.';
  }
  return `Logged in. The page sends the token with every call${untilOf(token)}.`;
}

// What stands above the calls: a line, the introduction folded, and whether there is a token.
function above({ React, getComponent, authSelectors, specSelectors }) {
  const h = React.createElement;
  return {
    wrapComponents: {
      InfoContainer: () => () => {
        const info = specSelectors.info();
        return h('section', { className: 'about', 'aria-label': 'About' },
          h('p', null, `${info.get('summary')}. Base URL: `, h('code', null, location.origin + base)),
          h('details', null,
            h('summary', null, 'About this API'),
            h(getComponent('Markdown', true), { source: info.get('description') }),
            h('p', null, `Version ${info.get('version')}. Licence: ${info.getIn(['license', 'name'])}.`)));
      },
      ServersContainer: () => () => null,
      AuthorizeBtnContainer: (Original) => (props) =>
        h('section', { className: 'token', 'aria-label': 'Token' },
          h('p', { role: 'status' }, noteOf(heldToken(authSelectors))),
          h(Original, props)),
    },
  };
}

follow();
dark.addEventListener('change', follow);

const ui = SwaggerUIBundle({
  dom_id: '#calls',
  url: DESCRIPTION,
  plugins: [above],
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: true,
  tryItOutEnabled: true,
  syntaxHighlight: { theme: 'tomorrow-night' },
  requestInterceptor: send,
  responseInterceptor: look,
});
