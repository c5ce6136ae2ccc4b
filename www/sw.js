/**
 * The service worker: the page and the engine in use work without a connection, always files of one release together.
 *
 * `pkg/precache.js` lists every file of the release with its hash and is written by the build. When it changes, the browser
 * installs this worker anew beside the old one; the old release is served until the new one takes over, and is then deleted.
 * The model's files are kept by download.js.
 */
importScripts('pkg/precache.js');

const { version, page, engines } = self.PRECACHE;
const SCOPE = self.registration.scope;
/** Sites of one origin share its caches, and one site may lie below another: a URL holds no blank, so this begins no other's. */
const PREFIX = `mner-page ${SCOPE} `;
const CACHE = PREFIX + version;
/** The list of models and their manifests: from the server if it answers, else as last seen. */
const LISTS = `mner-lists ${SCOPE}`;
const LIST = /^models\/(index\.json|[^/]+\/manifest\.json)$/;
/** Caches of releases that did not yet have the site in the name. */
const NAMELESS = /^mner-(page-[0-9a-f]{16}|lists)$/;
const PATIENCE = 5_000;
const known = new Set([page, ...Object.values(engines)].flatMap(Object.keys));

self.addEventListener('install', (event) => event.waitUntil(fill(page)));

self.addEventListener('activate', (event) => {
  const replace = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await Promise.all(names.filter((name) => NAMELESS.test(name)).map(leave));
    await self.clients.claim();
  };
  event.waitUntil(replace());
});

self.addEventListener('message', (event) => {
  const { op, engine, lists } = event.data;
  if (op === 'take over') event.waitUntil(self.skipWaiting());
  if (op === 'keep') {
    const listed = lists.map((path) => fromServer(new Request(new URL(path, SCOPE), { cache: 'no-cache' })));
    event.waitUntil(Promise.all([fill(engines[engine] ?? {}), ...listed]).catch(() => {}));
  }
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = pathOf(request.url);
  if (request.method !== 'GET' || path === undefined) return;
  if (LIST.test(path)) event.respondWith(fromServer(request));
  else if (known.has(path)) event.respondWith(fromCache(request, path));
});

/** The path below the page's folder; `./` for the page itself, `undefined` for what is not below. */
function pathOf(url) {
  const { origin, pathname } = new URL(url);
  const base = new URL(SCOPE);
  if (origin !== base.origin || !pathname.startsWith(base.pathname)) return undefined;
  const path = decodeURI(pathname.slice(base.pathname.length));
  return path === '' || path === 'index.html' ? './' : path;
}

async function fromCache(request, path) {
  return (await kept(CACHE, new URL(path, SCOPE).href)) ?? fetch(request);
}

async function fromServer(request) {
  const last = await kept(LISTS, request.url);
  let response;
  try {
    response = await fetch(request, last && { signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    if (last) return last;
    throw error;
  }
  const copy = response.clone();
  // Where nothing can be kept, the answer is good all the same.
  if (response.ok) await caches.open(LISTS).then((cache) => cache.put(request.url, copy)).catch(() => {});
  return response;
}

/** What a cache has at a URL; nothing where the browser keeps nothing, or no longer. */
async function kept(name, url) {
  try {
    return await (await caches.open(name)).match(url);
  } catch {
    return undefined;
  }
}

/**
 * Takes this site's files out of a cache that sites shared, and the cache away when it is empty. A release's cache holds the
 * folder of its page; a file belongs to the innermost of those that it lies below. Lists are this site's by their paths, and
 * stay known.
 */
async function leave(name) {
  const cache = await caches.open(name);
  const urls = (await cache.keys()).map(({ url }) => url);
  const pages = urls.filter((url) => url.endsWith('/'));
  const owner = (url) => pages.filter((page) => url.startsWith(page)).sort((a, b) => b.length - a.length)[0];
  const ours = (url) => (name === 'mner-lists' ? LIST.test(pathOf(url) ?? '') : owner(url) === SCOPE);
  const lists = name === 'mner-lists' && (await caches.open(LISTS));
  for (const url of urls.filter(ours)) {
    if (lists) await lists.put(url, await cache.match(url));
    await cache.delete(url);
  }
  if (urls.every(ours)) await caches.delete(name);
}

/** Puts files into the cache of this release. A server that holds another release by now must not mix the two. */
async function fill(files) {
  const cache = await caches.open(CACHE);
  const put = async ([path, sha256]) => {
    const url = new URL(path, SCOPE);
    if (await cache.match(url)) return;
    const response = await fetch(url, { cache: 'no-cache' });
    const bytes = await response.arrayBuffer();
    if (!response.ok || (await hash(bytes)) !== sha256) throw new Error(`${path} is not of release ${version}.`);
    await cache.put(url, new Response(bytes, { headers: { 'content-type': response.headers.get('content-type') } }));
  };
  await Promise.all(Object.entries(files).map(put));
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
