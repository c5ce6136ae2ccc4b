/** The page's own pair: one tweet beside two images, and the image decides what the name in it is. On WebGPU: `webgpu.test.mjs`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXAMPLES } from '../../www/examples.js';
import { answer, missing, shipped } from './built.mjs';
import { BLANK, realBundle, visit, withBrowser } from './harness.mjs';

const WWW = new URL('../../www/', import.meta.url);
const [person, place] = ['basketball', 'desert'].map((name) => EXAMPLES.find((example) => example.name === `example.${name}`));

const shared = withBrowser();

test('the image decides what Jordan is', { skip: missing('cpu') }, () =>
  visit(shared, { engine: 'built', bundle: realBundle(shipped().hamlearning), query: BLANK }, async (page) => {
    assert.equal(person.text, place.text);
    const tweets = [person, place].map(({ text, image }) => ({ text, bytes: readFileSync(new URL(image, WWW)) }));
    const { error, answers } = await answer(page, tweets);
    assert.equal(error, undefined);
    const types = answers.map(({ entities }) => entities.filter(({ text }) => text === 'Jordan').map(({ type }) => type));
    assert.deepEqual(types, [['PER'], ['LOC']]);
  }));
