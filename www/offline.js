/** Makes the page work without a connection, and says when there is none or when a new release is there. */
import { element } from './dom.js';
import { word } from './wording.js';

/** @param {HTMLElement} notice where to say so */
export function keepOffline(notice) {
  /** The button that brings a new release in, once there is one. */
  let reload;
  const tell = () => {
    if (reload) word(notice, 'release', { reload });
    else word(notice, navigator.onLine ? undefined : 'offline');
    notice.hidden = !reload && navigator.onLine;
  };
  addEventListener('online', tell);
  addEventListener('offline', tell);
  tell();
  register((waiting) => {
    reload = element('button', { type: 'button' });
    word(reload, 'release.reload');
    reload.onclick = () => {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      waiting.postMessage({ op: 'take over' });
    };
    tell();
  });
}

/**
 * Has the service worker keep what was fetched before it was there.
 * @param {'cpu' | 'webgpu'} backend whose engine is in use
 * @param {string[]} lists paths of the list of models and of manifests
 */
export async function keep(backend, lists) {
  const registration = await workers()?.ready;
  registration?.active.postMessage({ op: 'keep', engine: backend === 'webgpu' ? 'gpu' : backend, lists });
}

/** The browser's service workers, where it lets this page have any. */
function workers() {
  try {
    return navigator.serviceWorker;
  } catch {
    return undefined;
  }
}

/** Registers the service worker. Without one (an unbuilt page, a browser that forbids it) the page works online. */
async function register(onWaiting) {
  try {
    const registration = await workers()?.register('sw.js', { updateViaCache: 'none' });
    if (!registration) return;
    const watch = (worker) => {
      worker?.addEventListener('statechange', () => {
        // The very first one has nobody to wait for.
        if (worker.state === 'installed' && registration.active) onWaiting(worker);
      });
    };
    if (registration.waiting) onWaiting(registration.waiting);
    watch(registration.installing);
    registration.addEventListener('updatefound', () => watch(registration.installing));
  } catch (error) {
    console.info(`mner: this page will need a connection: ${error.message}`);
  }
}
