// The class with which doccano's front end (v-annotator) counts, taken out of its bundle, and what it says of each text:
// for every place in UTF-16 units what it sends, without and with `graphemeMode`. Run by annotations.py, which sets `bundle`
// and `texts`.
const balanced = (from) => {
  let depth = 0;
  for (let i = bundle.indexOf('{', from); ; i++) {
    if (bundle[i] === '{') depth++;
    if (bundle[i] === '}' && --depth === 0) return bundle.slice(from, i + 1);
  }
};
const splitter = { exports: {} };
const name = ':function(e,t,n)';
const module_ = balanced(bundle.lastIndexOf(name, bundle.indexOf('splitGraphemes=function')) + 1);
(0, eval)(`(${module_})`)(splitter, splitter.exports);
// Babel's helpers: for...of, destructuring, no check of the call, and methods of a class.
const ee = (list) => {
  const it = list[Symbol.iterator]();
  let step;
  return { s() {}, n: () => (step = it.next()), e(error) { throw error; }, f() {} };
};
const l = (list, count) => Array.from(list).slice(0, count);
const te = () => {};
const re = (type, members) => {
  for (const { key, ...member } of members) Object.defineProperty(type.prototype, key, { configurable: true, ...member });
  return type;
};
const be = { a: splitter.exports };
const Text = eval(`(${balanced(bundle.lastIndexOf('function()', bundle.indexOf('this.graphemes=[],this.g2c')))})()`);
const tables = texts.map((string) => {
  const text = new Text(string);
  const places = Array.from({ length: text.codePointLength + 1 }, (_, place) => place);
  return { utf16: places, graphemes: places.map((place) => text.toGraphemeOffset(place) ?? null) };
});
console.log(JSON.stringify(tables));
