/**
 * Where the engines are: what the build puts into pkg/. A package has another file in the place of this one, which names each of
 * their files, as bundlers need it.
 */
import { MnerError } from './errors.js';

/** The folder of each backend's engine in `pkg`. */
const FOLDERS = { cpu: 'cpu', webgpu: 'gpu' };

/**
 * @param {import('./mner.js').Backend} backend
 * @param {(url: string) => Promise<Uint8Array>} fetchWhole
 * @returns {Promise<{glue: string, wasm: string, bytes: number}>} the URLs of the module and of what it instantiates, and the size
 *     of the latter
 * @throws {MnerError}
 */
export async function engineOf(backend, fetchWhole) {
  const pkg = new URL('./pkg/', import.meta.url);
  const sizes = await fetchWhole(new URL('sizes.json', pkg).href)
    .then((bytes) => JSON.parse(new TextDecoder().decode(bytes)))
    .catch(() => {
      throw new MnerError('engine', 'The engine of this page is not built. Run ./build.sh build.');
    });
  const folder = FOLDERS[backend];
  if (!(folder in sizes)) {
    throw backend === 'webgpu'
      ? new MnerError('webgpu', 'This site has no WebGPU engine yet.')
      : new MnerError('engine', 'The CPU engine of this page is not built. Run ./build.sh build.');
  }
  const file = (name) => new URL(`${folder}/${name}`, pkg).href;
  return { glue: file('mner_web.js'), wasm: file('mner_web_bg.wasm'), bytes: sizes[folder] };
}
