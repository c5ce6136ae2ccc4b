/** Many tweets one after the other, and models that a caller fetches or keeps in a way of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inOrder } from '../../www/in-order.js';
import { BLANK, madeUpBundle, visit, withBrowser } from './harness.mjs';

/** All that an iterable gives, and what it throws in the end. */
async function drained(iterable) {
  const values = [];
  try {
    for await (const value of iterable) values.push(value);
    return { values };
  } catch (error) {
    return { values, error };
  }
}

test('answers come in the order of the inputs, whichever is there first', async () => {
  const answer = async (input) => {
    await sleep(input);
    return 10 + input;
  };
  for (const ahead of [1, 2, 3, 100]) {
    assert.deepEqual(await drained(inOrder([9, 1, 5, 0, 3], answer, { ahead })), { values: [19, 11, 15, 10, 13] });
  }
  async function* later() {
    for (const input of [4, 0, 2]) {
      await sleep(1);
      yield input;
    }
  }
  assert.deepEqual(await drained(inOrder(later(), answer, { ahead: 2 })), { values: [14, 10, 12] });
  assert.deepEqual(await drained(inOrder([], answer, { ahead: 2 })), { values: [] });
});

test('no more is taken in than may wait, and nothing after the loop is left', async () => {
  for (const ahead of [1, 3]) {
    let taken = 0;
    let closed = 0;
    let most = 0;
    const stopped = [];
    function* numbers() {
      try {
        for (;;) yield taken++;
      } finally {
        closed++;
      }
    }
    let seen = 0;
    const answer = async (input, index, signal) => {
      assert.equal(input, index);
      stopped.push(signal);
      return input;
    };
    for await (const value of inOrder(numbers(), answer, { ahead })) {
      assert.equal(value, seen++);
      most = Math.max(most, taken - value);
      if (value === 20) break;
    }
    const then = taken;
    await sleep(5);
    // The one that was given, and those behind it.
    assert.ok(most <= ahead + 1, `${most} with ${ahead}`);
    assert.deepEqual([taken, closed], [then, 1]);
    assert.ok(stopped.every((signal) => signal.aborted));
  }
});

test('a slow source holds back no answer, and none that never comes holds the loop', async () => {
  let go;
  async function* slow() {
    yield 'first';
    await new Promise((done) => (go = done));
    yield 'second';
  }
  const answers = inOrder(slow(), async (input) => input, { ahead: 5 });
  assert.deepEqual(await answers.next(), { done: false, value: 'first' });
  go();
  assert.deepEqual(await answers.next(), { done: false, value: 'second' });
  assert.deepEqual(await answers.next(), { done: true, value: undefined });

  const never = inOrder(slow(), async (input) => input, { ahead: 5 });
  await never.next();
  assert.deepEqual(await never.return(undefined), { done: true, value: undefined });
  const stopper = new AbortController();
  const aborted = drained(inOrder(slow(), async (input) => input, { ahead: 5, signal: stopper.signal }));
  await sleep(5);
  stopper.abort(new Error('enough'));
  const { values, error } = await aborted;
  assert.deepEqual([values, error.message], [['first'], 'enough']);
});

test('where a source or an answer fails, what came before is given', async () => {
  function* source() {
    yield* [1, 2];
    throw new Error('the source');
  }
  const slowly = async (input) => {
    await sleep(2);
    return input;
  };
  const { values, error } = await drained(inOrder(source(), slowly, { ahead: 9 }));
  assert.deepEqual([values, error.message], [[1, 2], 'the source']);
  const atOnce = { [Symbol.iterator]: () => ({ next: () => assert.fail('at once') }) };
  assert.equal((await drained(inOrder(atOnce, slowly, { ahead: 1 }))).error.message, 'at once');
  const fails = async (input) => (input === 3 ? Promise.reject(new Error('the answer')) : slowly(input));
  const ended = await drained(inOrder([1, 2, 3, 4], fails, { ahead: 9 }));
  assert.deepEqual([ended.values, ended.error.message], [[1, 2], 'the answer']);
});

const shared = withBrowser();
const bundle = madeUpBundle();

/** Runs `script` in a blank page as a function of the module and the folder of models. */
function inPage(script, use = undefined, options = {}) {
  return visit(shared, { bundle, query: BLANK, ...options }, async (page, site) => {
    const body = `const { Recognizer } = await import('./mner.js'); const models = new URL('models/', location.href); ${script}`;
    const answer = await page.evaluate(`(async () => { ${body} })().catch((error) => [error.name, error.code, error.message])`);
    if (use) await use(answer, site, page);
    return answer;
  });
}

test('a tweet that cannot be read is told in its place, and the next ones go on', () =>
  inPage(
    `const mner = await Recognizer.load('test', { models, backend: 'cpu' });
     async function* tweets() {
       yield 'in Oslo';
       yield { text: 'Rome', image: new Blob(['broken']), id: 7 };
       yield { text: 3 };
       yield { text: 'Zoë', image: new Blob(['image']) };
       yield 'crash';
       yield 'Bergen';
     }
     const answers = [];
     for await (const { input, index, entities, picture, error } of mner.recognizeAll(tweets(), { ahead: 3 })) {
       answers.push([index, input.id ?? 0, error?.code ?? entities.map(({ text }) => text).join(), Boolean(picture)]);
     }
     return answers;`,
    (answers) =>
      assert.deepEqual(answers, [
        [0, 0, 'Oslo', false],
        [1, 7, 'picture', false],
        [2, 0, 'input', false],
        [3, 0, 'Zoë', true],
        [4, 0, 'crashed', false],
        [5, 0, 'Bergen', false],
      ]),
  ));

test('leaving the loop gives up what was taken in; closing ends it with an error', () =>
  inPage(
    `const mner = await Recognizer.load('test', { models, backend: 'cpu' });
     let taken = 0;
     const tweets = function* () { for (;;) yield 'slowly Oslo ' + taken++; };
     const from = performance.now();
     for await (const answer of mner.recognizeAll(tweets(), { ahead: 8 })) break;
     const { entities } = await mner.recognize({ text: 'Rome' });
     const milliseconds = performance.now() - from;
     const ended = (async () => { for await (const answer of mner.recognizeAll(tweets())) mner.close(); })();
     return [taken < 20, milliseconds < 2500, entities.length, await ended.catch(({ code }) => code)];`,
    (answer) => assert.deepEqual(answer, [true, true, 1, 'closed']),
  ));

test('what is no list, no count, no function and no name is refused in words', () =>
  inPage(
    `const mner = await Recognizer.load('test', { models, backend: 'cpu' });
     const caught = async (work) => { try { await work(); } catch ({ code, message }) { return code + ': ' + message; } };
     return [
       await caught(() => mner.recognizeAll('Oslo')),
       await caught(() => mner.recognizeAll(['Oslo'], { ahead: 0 })),
       await caught(() => Recognizer.load('test', { models, fetch: 'fetch' })),
       await caught(() => Recognizer.load('test', { models, cache: true })),
       await caught(() => Recognizer.load('test', { models: 'http://' })),
       await caught(() => Recognizer.load('test', { models, backend: 'tpu' })),
       await caught(() => Recognizer.load(undefined)),
       await caught(() => Recognizer.load('data:application/json,{}')),
       await caught(() => Recognizer.load('test', { models, signal: {} })),
       await caught(() => mner.recognize({ text: 'Oslo' }, { onProgress: 5 })),
       await caught(() => new Recognizer().recognize({ text: 'Oslo' }, null)),
       await caught(() => mner.annotations()),
     ];`,
    (answers) => {
      const words = [/an array or another iterable/, /from 1 on, not 0/, /fetch must be a function/, /cache must be/, /“http:\/\/” is no URL/, /no backend “tpu”/,
        /“undefined” is no URL/, /is no URL of a folder/, /signal must be/, /onProgress must be/, /by Recognizer\.load/, /name of a format/];
      words.forEach((wanted, i) => {
        assert.match(answers[i], /^input: /);
        assert.match(answers[i], wanted);
      });
    },
  ));

test('a name is found in the folder of models, whose query is every file’s', () => {
  const asked = [];
  const intercept = (path, request) => {
    if (path.startsWith('models/')) asked.push(request.url.split('/some/path/')[1]);
    return false;
  };
  return inPage(
    `models.search = '?key=1';
     (await Recognizer.load('test', { models, backend: 'cpu' })).close();
     (await Recognizer.load('./test/?key=2', { models: String(models), backend: 'cpu', cache: false })).close();`,
    () => {
      const files = ['manifest.json', 'tokenizer.json', 'weights.bpk'];
      assert.deepEqual(asked.slice(0, 3).sort(), files.map((name) => `models/test/${name}?key=1`));
      assert.deepEqual(asked.slice(3).sort(), files.map((name) => `models/test/${name}?key=2`));
    },
    { intercept },
  );
});

const LARGE = madeUpBundle({ bytes: 2_500_000 });

test('the caller’s own fetch brings the model’s files, in pieces and in ranges', () =>
  inPage(
    `const asked = [];
     let broken = false;
     const own = async (url, { headers, signal }) => {
       asked.push([url.split('/').pop(), headers.Range ?? '']);
       const response = await fetch(url.replace('elsewhere', 'test'), { headers, signal });
       if (broken || !url.endsWith('.bpk')) return response;
       broken = true;
       // It ends within the second megabyte.
       let left = 1_500_000;
       const cut = new TransformStream({ transform(chunk, control) {
         control.enqueue(chunk.subarray(0, Math.max(left, 0)));
         if ((left -= chunk.length) <= 0) control.error(new Error('the line is dead'));
       } });
       return new Response(response.body.pipeThrough(cut), response);
     };
     const mner = await Recognizer.load('elsewhere', { models, fetch: own, backend: 'cpu', cache: 'mine' });
     const { entities } = await mner.recognize({ text: 'in Oslo' });
     const cached = (await (await caches.open('mine')).keys()).length;
     return { asked, names: entities.length, cached, others: await caches.keys() };`,
    ({ asked, names, cached, others }, { requests }) => {
      const ranges = asked.filter(([name]) => name === 'weights.bpk').map(([, range]) => range);
      assert.equal(ranges.length, 2);
      assert.match(ranges[1], /^bytes=1[0-9]{6}-$/);
      assert.deepEqual(asked.map(([name]) => name).sort().slice(0, 2), ['manifest.json', 'tokenizer.json']);
      assert.equal(names, 1);
      // Three parts of the weights, one of the tokenizer.
      assert.equal(cached, 4);
      assert.deepEqual(others, ['mine']);
      assert.ok(requests.every((path) => !path.includes('elsewhere')));
    },
    { bundle: LARGE },
  ));

test('what the caller’s own fetch throws or gives wrongly is told', () =>
  inPage(
    `const said = [];
     for (const own of [() => { throw new Error('no key'); }, () => Promise.reject('never'), async () => undefined,
       async () => new Response(null, { status: 404 }), async () => new Response('{', { status: 200 }), async () => new Response(null, { status: 204 })]) {
       said.push(await Recognizer.load('test', { models, fetch: own, backend: 'cpu' }).catch(({ code, message }) => code + ': ' + message));
     }
     return said;`,
    (said) => {
      const wanted = [/^network: .*own fetch failed.*manifest\.json: no key/, /^network: .*never/, /^network: .*no response/, /^not-found/, /^bundle: .*not JSON/, /^bundle: .*not JSON/];
      wanted.forEach((words, i) => assert.match(said[i], words));
    },
  ));

test('nothing is kept where nothing is to be kept', () =>
  inPage(
    `for (let i = 0; i < 2; i++) (await Recognizer.load('test', { models, backend: 'cpu', cache: false })).close();
     return caches.keys();`,
    (caches, { requests }) => {
      assert.deepEqual(caches, []);
      assert.equal(requests.filter((path) => path.endsWith('weights.bpk')).length, 2);
    },
  ));
