/**
 * Whether this browser's WebGPU can carry the engine. Used inside the Worker, before the engine for WebGPU is fetched: so this is
 * no part of it.
 */
import { MnerError } from './errors.js';

/** What the engine's kernels need; every adapter beyond WebGPU's compatibility mode has it. */
const LEAST = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
};

/** Milliseconds that a request for an adapter may take. */
const PATIENCE = 4_000;

/** Adapters that compute on the CPU, by name, where the browser does not say so itself. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/**
 * Asks for an adapter as the engine will.
 *
 * @param {{software: boolean}} options `software`: whether one that computes on the CPU will do
 * @returns {Promise<GPUSupportedLimits>}
 * @throws {MnerError} `webgpu`: a sentence that says why WebGPU cannot be used
 */
export async function probe({ software }) {
  const { gpu } = self.navigator;
  if (!gpu) {
    throw unusable(
      self.isSecureContext
        ? 'This browser has no WebGPU.'
        : 'Browsers offer WebGPU only to pages that come over https or from this machine.',
    );
  }
  // A GPU process that has just died gives nothing once.
  const adapter = (await ask(gpu)) ?? (await ask(gpu));
  if (!adapter) throw unusable('This browser has WebGPU but no graphics adapter that it supports.');
  const name = nameOf(adapter);
  if (!software && (adapter.info?.isFallbackAdapter || adapter.isFallbackAdapter || SOFTWARE.test(name))) {
    throw unusable(`This browser’s WebGPU computes on the CPU (${name}), where the CPU engine is faster.`);
  }
  // Without it the engine would fail at its first computation, and never answer.
  if (!adapter.features.has('timestamp-query')) {
    throw unusable(`The graphics adapter (${name}) lacks timestamp queries, which the engine needs.`);
  }
  for (const [limit, least] of Object.entries(LEAST)) {
    if (adapter.limits[limit] < least) {
      throw unusable(`The graphics adapter (${name}) is too small: ${limit} is ${adapter.limits[limit]}, not ${least}.`);
    }
  }
  return adapter.limits;
}

/** One request for an adapter, which must come within `PATIENCE`; null if there is none. */
async function ask(gpu) {
  let clock;
  const late = new Promise((_, fail) => {
    clock = setTimeout(() => fail(new Error(`it named no graphics adapter within ${PATIENCE / 1000} seconds`)), PATIENCE);
  });
  try {
    return await Promise.race([gpu.requestAdapter({ powerPreference: 'high-performance' }), late]);
  } catch (error) {
    throw unusable(`This browser’s WebGPU does not start: ${error.message}`);
  } finally {
    clearTimeout(clock);
  }
}

/** Refuses a model whose largest table does not fit into one buffer of the adapter. */
export function requireRoom(limits, manifest) {
  const { vocab, d } = manifest.config?.encoder ?? {};
  const bytes = 4 * vocab * d;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  if (bytes > most) {
    const megabytes = (count) => Math.round(count / 1e6);
    throw unusable(
      `This model has a table of ${megabytes(bytes)} MB, and the graphics adapter takes ${megabytes(most)} MB at once.`,
    );
  }
}

/** @param {GPUAdapter} adapter */
function nameOf({ info }) {
  const words = [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean);
  return words.join(' ') || 'unnamed';
}

function unusable(sentence) {
  return new MnerError('webgpu', sentence);
}
