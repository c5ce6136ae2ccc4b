/** What is worked out from two answers, against the obvious way to do it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLANK, madeUpBundle, visit, withBrowser } from './harness.mjs';

const shared = withBrowser();

test('what changed, and CoNLL, are those of the obvious ways that take the square of the time', () =>
  visit(shared, { bundle: madeUpBundle(), query: BLANK }, async (page) => {
    const { cases, changed, tagged } = await page.evaluate(async () => {
      const { changes } = await import(new URL('evidence.js', location.href).href);
      const { toConll } = await import(new URL('notation.js', location.href).href);
      let seed = 7;
      const below = (most) => (seed = (seed * 48_271) % 0x7fffffff) % most;
      const text = 'ab c d,ef  g\nhij k l.m no';
      const some = () => {
        const entities = [];
        for (let at = below(4); at < text.length - 4; ) {
          const end = at + 1 + below(4);
          if (below(3)) entities.push({ type: ['PER', 'LOC'][below(2)], utf16: [at, end] });
          at = end + below(3);
        }
        return { entities };
      };
      const overlap = (a, b) => a.utf16[0] < b.utf16[1] && b.utf16[0] < a.utf16[1];
      const obvious = (base, full) => {
        const free = new Set(base.entities);
        const pairs = full.entities.map((after) => {
          const before = base.entities.find((entity) => free.has(entity) && overlap(entity, after));
          free.delete(before);
          return { before, after };
        });
        for (const before of free) pairs.push({ before, after: undefined });
        const start = ({ before, after }) => (after ?? before).utf16[0];
        const differ = ({ before, after }) => !before || !after || before.type !== after.type || String(before.utf16) !== String(after.utf16);
        return pairs.filter(differ).sort((a, b) => start(a) - start(b));
      };
      const conll = ({ entities }) => {
        const lines = [];
        let word;
        for (let at = 0; at < text.length; at++) {
          const entity = entities.find(({ utf16: [from, to] }) => from <= at && at < to);
          if (/\s/.test(text[at])) word = undefined;
          else if (word && word.entity === entity) word.text += text[at];
          else {
            // The first word of a name begins it; white space may come before.
            const inside = lines.some((line) => line.entity && line.entity === entity) || (entity && at > entity.utf16[0]);
            lines.push((word = { text: text[at], entity, tag: entity ? `${inside ? 'I' : 'B'}-${entity.type}` : 'O' }));
          }
        }
        return lines.map((line) => `${line.text} ${line.tag}\n`).join('');
      };
      let [cases, changed, tagged] = [0, 0, 0];
      for (; cases < 3000; cases++) {
        const [base, full] = [some(), some()];
        const found = changes(base, full);
        if (JSON.stringify(found) !== JSON.stringify(obvious(base, full))) throw new Error(`changes: ${JSON.stringify([base, full])}`);
        if (toConll(text, base) !== conll(base)) throw new Error(`CoNLL: ${JSON.stringify(base)}\n${toConll(text, base)}\n${conll(base)}`);
        changed += found.length;
        tagged += base.entities.length;
      }
      return { cases, changed, tagged };
    });
    // Enough of both to mean something.
    assert.deepEqual([cases, changed > cases, tagged > cases], [3000, true, true]);
  }));
