import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const web = new URL('../', import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, web), 'utf8');
const page = read('index.html');

/** @param {string} path @param {Set<string>} [found] @returns {Set<string>} the module and all that it imports */
function modules(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, target] of read(path).matchAll(/^(?:import|export)\b[^;]*?'(\.[^']+)';/gm)) {
    modules(new URL(target, new URL(path, web)).href.slice(web.href.length), found);
  }
  return found;
}

test('the preload list is exactly the modules the page imports', () => {
  const listed = [...page.matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual([...listed, 'app.js'].sort(), [...modules('app.js')].sort());
});

test('every file the page names is there', () => {
  for (const [, path] of page.matchAll(/(?:href|src)="\/([^"]+)"/g)) {
    assert(path === 'phone/hearth.wasm' || existsSync(new URL(path, web)), path);
  }
});

test('without the phone, the page weighs at most 120 KB compressed', () => {
  const files = ['index.html', ...[...page.matchAll(/(?:href|src)="\/([^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path)];
  const weight = files.reduce((sum, path) => sum + gzipSync(read(path)).length, 0);
  assert(weight < 120 * 1024, `${weight} bytes`);
});

/** @param {string} folder @returns {string[]} */
function sources(folder = '') {
  return readdirSync(new URL(folder, web), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? entry.name === 'tests' ? [] : sources(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]);
}

test('no text becomes markup, and nothing needs an unsafe policy', () => {
  for (const path of sources().filter((name) => name.endsWith('.js'))) {
    assert(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|'style'|\.cssText/.test(read(path)), path);
  }
  assert(!/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)/.test(page), 'index.html');
});

test('every page, colour and word of a component is in its place', () => {
  const tokens = read('styles/tokens.css');
  for (const path of sources().filter((name) => name.endsWith('.css'))) {
    for (const [, name] of read(path).matchAll(/var\((--[\w-]+)\)/g)) assert(tokens.includes(`${name}:`), `${path}: ${name}`);
  }
});
