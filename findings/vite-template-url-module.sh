#!/usr/bin/env bash
# vite 8.3.8 (Node 20)
#
# A page picks one of two WebAssembly builds: `new URL(`./pkg/${kind}/glue.js`,
# import.meta.url)`, then `import()` of it. Vite takes the JavaScript file for a picture-like
# asset: it is copied unread (or, below 4 KiB, put into the page as a data: address), so the
# wasm file it asks for is not in the output. The build ends with 0 all the same. The data:
# form cannot work even with the file beside it: nothing resolves against a data: address.
#
# Why it surprises: the same address of a wasm file, template included, is followed rightly,
# and so is `import(`./pkg/${kind}/glue.js`)`: only the mixture loses a file.
#
# Instead: import the glue by name or by a template in `import()` itself.
#
# Output seen:
#   module by new URL, small   0 wasm, 0 glue, data: true, status 0
#   module by new URL, copied  0 wasm, 2 glue, data: false, status 0
#   module by import()         1 wasm, 2 glue, data: false, status 0
#   wasm by new URL            1 wasm, 0 glue, data: false, status 0
#   engine.wasm beside a data: address: ERR_INVALID_URL
# shellcheck disable=SC2016  # JavaScript in single quotes
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
echo '{"private":true,"type":"module"}' >package.json
npm install --silent vite@8.3.8
echo '<script type="module" src="/main.js"></script>' >index.html
for kind in cpu gpu; do
  mkdir -p "pkg/$kind"
  printf '\0asm\1\0\0\0' >"pkg/$kind/engine.wasm"
  echo "export const engine = () => fetch(new URL('engine.wasm', import.meta.url)); // $kind" >"pkg/$kind/glue.js"
done
build() { # name, the whole of main.js after `kind`, arguments of the build
  local name=$1 rest=$2 status=0; shift 2
  echo "const kind = location.hash === '#gpu' ? 'gpu' : 'cpu'; $rest" >main.js
  npx vite build --logLevel silent "$@" || status=$?
  local wasm glue data=false
  wasm=$(find dist -name '*.wasm' | wc -l) glue=$(find dist -name 'glue*.js' | wc -l)
  if grep -q 'data:text/javascript' dist/assets/index-*.js; then data=true; fi
  echo "$name $wasm wasm, $glue glue, data: $data, status $status"
}
by_url='const glue = await import(/* @vite-ignore */ new URL(`./pkg/${kind}/glue.js`, import.meta.url).href);'
by_import='const glue = await import(`./pkg/${kind}/glue.js`);'
diff - <(
  build 'module by new URL, small  ' "$by_url await glue.engine();"
  build 'module by new URL, copied ' "$by_url await glue.engine();" --assetsInlineLimit 0
  build 'module by import()        ' "$by_import await glue.engine();" --assetsInlineLimit 0
  build 'wasm by new URL           ' 'await fetch(new URL(`./pkg/${kind}/engine.wasm`, import.meta.url));' --assetsInlineLimit 0
  node -e 'try { new URL("engine.wasm", "data:text/javascript,0"); console.log("resolves"); }
    catch (e) { console.log("engine.wasm beside a data: address:", e.code); }'
) <<'SEEN'
module by new URL, small   0 wasm, 0 glue, data: true, status 0
module by new URL, copied  0 wasm, 2 glue, data: false, status 0
module by import()         1 wasm, 2 glue, data: false, status 0
wasm by new URL            1 wasm, 0 glue, data: false, status 0
engine.wasm beside a data: address: ERR_INVALID_URL
SEEN
echo "as seen: module by new URL 0 wasm, status 0; by import() 1 wasm"
