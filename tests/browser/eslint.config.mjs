import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import globals from 'globals';

const [WWW, WEB, TESTS] = ['**/www/**/*.js', '**/web/**/*.{mjs,js}', '**/browser/*.mjs'];

export default defineConfig([
  { files: [WWW, WEB, TESTS], ...js.configs.recommended, linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: [WWW], languageOptions: { globals: { ...globals.browser, ...globals.worker } } },
  { files: ['**/www/sw.js'], languageOptions: { sourceType: 'script', globals: globals.serviceworker } },
  { files: ['**/www/wording/unserved.js'], languageOptions: { sourceType: 'script' } },
  { files: [WEB], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  // Much of a test runs in the page, and some in a Worker.
  { files: [TESTS], languageOptions: { globals: { ...globals.node, ...globals.browser, ...globals.worker } } },
]);
