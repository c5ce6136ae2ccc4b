#!/usr/bin/env bash
# node 21.7.3 (V8 11.8) beside node 22.11.0 (V8 12.4), both from npm; wabt 1.0.39; x86-64
#
# V8 11.8 validates and runs `i32x4.relaxed_dot_i8x16_i7x16_add_s`, and its first
# compiler computes it wrongly: the accumulator is lost and the sum of products comes
# twice. The optimising compiler is right, so the same function with the same arguments
# changes its answer while it runs. 4 * (3 * 5) + 1000 is 120 at first and 1060 later;
# all operands are within 7 bits, where the proposal leaves no choice.
#
# Why it surprises: a feature probe by `WebAssembly.validate` says yes, and a bench that
# warms up first sees right numbers only.
#
# Instead: let the probe compute a known sum on a fresh instance at its first call and
# compare, or use `i16x8.relaxed_dot_i8x16_i7x16_s` with the addition written out: right here.
#
# Output seen:
#   21.7.3 valid true first 120 later 1060 without accumulator 30
#   22.11.0 valid true first 1060 later 1060 without accumulator 30
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
npm install --silent --prefix tool wabt@1.0.39
for version in 21.7.3 22.11.0; do npm install --silent --prefix "n$version" "node@$version"; done
cat >make.js <<'JS'
require('./tool/node_modules/wabt')().then(wabt => {
  const text = `(module
    (func (export "dot") (param i32 i32 i32) (result i32)
      (i32x4.extract_lane 0 (i32x4.relaxed_dot_i8x16_i7x16_add_s
        (i8x16.splat (local.get 0)) (i8x16.splat (local.get 1)) (i32x4.splat (local.get 2)))))
    (func (export "pairs") (param i32 i32) (result i32)
      (i16x8.extract_lane_s 0 (i16x8.relaxed_dot_i8x16_i7x16_s
        (i8x16.splat (local.get 0)) (i8x16.splat (local.get 1))))))`;
  const { buffer } = wabt.parseWat('dot.wat', text, { simd: true, relaxed_simd: true }).toBinary({});
  require('fs').writeFileSync('dot.wasm', buffer);
});
JS
cat >look.js <<'JS'
const bytes = require('fs').readFileSync('dot.wasm');
const { dot, pairs } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
const first = dot(3, 5, 1000), plain = pairs(3, 5);
let later = first;
for (const end = Date.now() + 5000; Date.now() < end;) later = dot(3, 5, 1000);
console.log(process.versions.node, 'valid', WebAssembly.validate(bytes),
  'first', first, 'later', later, 'without accumulator', plain);
JS
node make.js
diff - <(for v in 21.7.3 22.11.0; do "n$v/node_modules/node/bin/node" look.js 2>&1; done) <<'SEEN'
21.7.3 valid true first 120 later 1060 without accumulator 30
22.11.0 valid true first 1060 later 1060 without accumulator 30
SEEN
echo "as seen: 21.7.3 first 120, later 1060; 22.11.0 1060 both times"
