/**
 * The caller's own `fetch`, used from inside the Worker: the Worker asks with a port, the page fetches and sends the body through
 * the port piece by piece, each when it is asked for.
 *
 * Out of the Worker: {ask: {url, headers, port}}. Through the port, to the Worker: {status, headers, body} once, {value} for a
 * piece, {done}, or {error}; from the Worker: 'more' or 'enough'.
 */
import { MnerError } from './errors.js';

/**
 * @typedef {(url: string, init: {headers: Record<string, string>, signal: AbortSignal}) => Promise<Response>} Fetch
 *     `headers` may ask for a range of bytes, which may be taken no notice of
 */

/**
 * In the page: answers one request of the Worker's.
 * @param {Fetch} fetch
 * @param {{url: string, headers: Record<string, string>, port: MessagePort}} ask
 * @param {AbortSignal} ended the Worker is no more
 */
export async function serveFetch(fetch, { url, headers, port }, ended) {
  const stop = new AbortController();
  ended.addEventListener('abort', () => stop.abort(), { once: true });
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  let reader;
  const fail = (error) => {
    port.postMessage({ error: String(error?.message ?? error) });
    port.close();
  };
  port.onmessage = async ({ data }) => {
    if (data === 'enough') {
      port.close();
      stop.abort();
      return;
    }
    try {
      const { done, value } = await reader.read();
      if (done) {
        port.postMessage({ done });
        port.close();
      } else {
        // Of a view the whole buffer would cross, and it may be in use.
        const copy = new Uint8Array(value);
        port.postMessage({ value: copy }, [copy.buffer]);
      }
    } catch (error) {
      fail(error);
    }
  };
  try {
    const response = await fetch(url, { headers, signal: stop.signal });
    if (!(response?.status >= 200)) throw new TypeError('it gave no response that can be read');
    reader = response.body?.getReader();
    port.postMessage({ status: response.status, headers: [...response.headers], body: Boolean(reader) });
    if (!reader) port.close();
  } catch (error) {
    fail(error);
  }
}

/**
 * In the Worker: a `fetch` that has the page do it.
 * @param {(message: object, transfer: Transferable[]) => void} post to the page
 * @returns {(url: string, init: {headers: Record<string, string>}) => Promise<Response>}
 */
export function fetchThrough(post) {
  return async (url, { headers }) => {
    const { port1: port, port2 } = new MessageChannel();
    /** What came and was not taken yet, and who waits for it. */
    const came = [];
    let wake;
    port.onmessage = ({ data }) => {
      came.push(data);
      wake?.();
    };
    const next = async () => {
      if (!came.length) await new Promise((done) => (wake = done));
      const { error, ...message } = came.shift();
      if (error !== undefined) throw new MnerError('network', `The page’s own fetch failed for ${url}: ${error}`);
      return message;
    };
    post({ ask: { url, headers, port: port2 } }, [port2]);
    const { status, headers: given, body } = await next();
    const stream = new ReadableStream(
      {
        async pull(controller) {
          port.postMessage('more');
          const { done, value } = await next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel() {
          port.postMessage('enough');
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body ? stream : null, { status, headers: given });
  };
}
