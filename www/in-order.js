/** Many inputs, answered in their order. */

/**
 * Takes at most `ahead` inputs in before their turn: a source longer than the memory is read as it is needed. A slow source does not
 * hold back the answers that are there. Where the source throws, the answers to what came before are given first.
 *
 * @template Input, Answer
 * @param {Iterable<Input> | AsyncIterable<Input>} inputs
 * @param {(input: Input, index: number, stopped: AbortSignal) => Promise<Answer>} answer what it rejects with ends all of it;
 *     `stopped` tells it that nobody waits any more
 * @param {{signal?: AbortSignal, ahead: number}} options
 * @returns {AsyncGenerator<Answer, void, undefined>}
 */
export async function* inOrder(inputs, answer, { signal, ahead }) {
  const source = inputs[Symbol.asyncIterator]?.() ?? inputs[Symbol.iterator]();
  /** @type {Promise<Answer>[]} */
  const queue = [];
  /** @type {Promise<void> | undefined} settles when the next input is there */
  let reading;
  let ended = false;
  /** @type {{error: unknown} | undefined} */
  let failure;
  let index = 0;

  const take = async () => {
    try {
      // Asked a moment later: what throws at once counts as what throws in time.
      const { done, value } = await Promise.resolve().then(() => source.next());
      ended = Boolean(done);
      if (ended || stop.signal.aborted) return;
      const answered = answer(await value, index++, stop.signal);
      // It is looked at when its turn comes.
      answered.catch(() => {});
      queue.push(answered);
    } catch (error) {
      ended = true;
      failure = { error };
    } finally {
      reading = undefined;
    }
  };

  const stop = new AbortController();
  const abort = () => stop.abort(signal.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const aborted = signal && new Promise((done) => stop.signal.addEventListener('abort', done, { once: true }));
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (!reading && !ended && queue.length < ahead) reading = take();
      if (queue.length) {
        const first = queue[0].then(() => true, () => true);
        if ((await Promise.race([first, reading, aborted].filter(Boolean))) === true) yield await queue.shift();
      } else if (reading) await Promise.race([reading, aborted].filter(Boolean));
      else if (failure) throw failure.error;
      else return;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    stop.abort();
    // A source that is being waited for may never answer, and would not hear of this before.
    const left = ended ? undefined : Promise.resolve(source.return?.()).catch(() => {});
    if (!reading) await left;
  }
}
