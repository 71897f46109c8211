// What the self test plants. `text` is appended to `file` (made when it is not there), `edit` changes it;
// `expect` is what must be reported, null when nothing may be.

const core = 'crates/offheap-core/src';
const long = (count, line) => `${line}\n`.repeat(count);
const rust = (name, file, text, expect) => ({ name, file: `${core}/${file}`, text: `\n${text}\n`, expect });
const facade = (name, file, text, expect) => ({ name, file: `facade/${file}`, text: `\n${text}\n`, expect });

const rustPlants = [
  rust('use of a higher room', 'base/planted.rs', 'use crate::manager::Manager;', /base\/planted\.rs:2: room base may not use manager/),
  rust('inline path to a higher room', 'base/planted.rs', 'fn f() { crate::report::all(); }', /may not use report/),
  rust('use tree with a higher room', 'base/planted.rs', 'use crate::{base::error::Error, pool::{self, Pool}};', /may not use pool/),
  rust('super::super escape', 'raw/planted.rs', 'use super::super::tracker::Slot;', /may not use tracker/),
  rust('super escape from mod.rs', 'raw/mod.rs', 'use super::tracker::Slot;', /may not use tracker/),
  rust('escape from an inline module', 'raw/planted.rs', 'mod tests { use super::super::super::alloc::Arena; }', /may not use alloc/),
  rust('room of equal rank', 'ops/planted.rs', 'use crate::tracker::Slot;', /ops.*(may not use tracker|has no room line)/),
  rust('whole crate by glob', 'base/planted.rs', 'use crate::*;', /takes the whole crate/),
  rust('whole crate under another name', 'base/planted.rs', 'use crate as everything;', /takes the whole crate/),
  rust('re-export that hides the room', 'base/planted.rs', 'use crate::Manager;', /crate::Manager is not a room/),
  rust('own crate by its outside name', 'base/planted.rs', 'use offheap_core::manager::Manager;', /takes the whole crate/),
  rust('a module file from elsewhere', 'base/planted.rs', '#[path = "../manager/mod.rs"]\nmod m;', /#\[path\] leaves the room/),
  { name: 'room line removed', file: `${core}/base/mod.rs`, edit: (text) => text.replace(/^\/\/! Room:.*$/m, ''), expect: /has no room line/ },
  { name: 'room line that lists a higher room', file: `${core}/raw/mod.rs`, edit: (text) => text.replace(/May use: .*\./, 'May use: base, pool.'), expect: /may not list pool/ },
  { name: 'room line with the wrong rank', file: `${core}/raw/mod.rs`, edit: (text) => text.replace('raw (1)', 'raw (0)'), expect: /calls itself raw \(0\)/ },
  rust('unknown room', 'attic/mod.rs', '//! Room: attic (9). May use: nothing.', /attic: is not a known room/),
  rust('file outside every room', 'planted.rs', 'fn f() {}', /stands outside every room/),
  rust('unsafe outside raw', 'base/planted.rs', '// SAFETY: argued, yet in the wrong room.\nfn f() { unsafe { g() } }', /base\/planted\.rs:3: unsafe outside/),
  rust('unsafe fn outside raw', 'base/planted.rs', 'unsafe fn f() {}', /unsafe outside/),
  { name: 'unsafe in the addon', file: 'crates/offheap-node/src/planted.rs', text: 'unsafe extern "C" fn f() {}\n', expect: /planted\.rs:1: unsafe outside/ },
  { name: 'unsafe without an argument in a test', file: 'crates/offheap-core/tests/planted.rs', text: 'fn f() { unsafe { g() } }\n', expect: /planted\.rs:1: unsafe without/ },
  rust('unsafe block without an argument', 'raw/planted.rs', '// A comment.\nfn f() {\n    unsafe { g() }\n}', /raw\/planted\.rs:4: unsafe without an argument/),
  rust('unsafe impl without an argument', 'raw/planted.rs', 'unsafe impl Send for T {}', /unsafe without an argument/),
  rust('argument of another statement', 'raw/planted.rs', '// SAFETY: for the first.\nlet a = unsafe { f() };\nlet b = unsafe { g() };', /raw\/planted\.rs:4: unsafe without/),
  rust('long function', 'base/planted.rs', `fn long(x: [u8; 4]) -> u8 {\n${long(80, '    f();')}}`, /fn long has 82 lines/),
  rust('long file', 'base/planted.rs', long(401, '// line'), /40\d lines, the limit/),
  rust('look-alikes', 'raw/planted.rs', [
    '/* unsafe { */ // unsafe { and crate::manager::X',
    'const A: &str = "unsafe { crate::manager::X }"; const B: &str = r#"unsafe " { crate::pool::P "#;',
    'const C: char = \'"\'; fn f<\'a>(x: &\'a str) -> char { \'\\\'\' }',
    '#[allow(unsafe_code)] fn g() { crate::base::error::f(); std::alloc::alloc(); verify!(x); crate::verify!(x); }',
    'mod tests { use super::*; use super::super::mem; }',
    '// SAFETY: - one. - two.\n#[inline]\nunsafe impl Send for T {}',
    '// SAFETY: statement above.\nlet rc =\n    unsafe { f() };',
  ].join('\n'), null),
  rust('long function in tests', 'base/planted.rs', `#[cfg(test)]\nmod tests {\n    fn long() {\n${long(80, '        f();')}    }\n}`, null),
];

const facadePlants = [
  facade('upward import', 'errors.ts', "import { x } from './manager.js';", /errors \(\d\) may not import|imports manager, which is no file/),
  facade('upward type import', 'types.ts', "import type { X } from './errors.js';", /types \(0\) may not import|is no file/),
  facade('equal rank', 'leaks.ts', "export * from './stats.js';", /leaks \(\d\) may not import|is no file/),
  facade('dynamic upward import', 'errors.ts', "const m = await import('./native.js');", /may not import native|is no file/),
  facade('second importer of the addon', 'handles/planted.ts', "const n = createRequire(import.meta.url)('#native');", /names #native; only facade\/native\.ts/),
  facade('runtime dependency', 'handles/planted.ts', "import _ from 'lodash';", /imports 'lodash'/),
  facade('built-in without node:', 'handles/planted.ts', "import fs from 'fs';", /imports 'fs'/),
  facade('out of the facade', 'handles/planted.ts', "import { x } from '../../index.js';", /reaches outside facade/),
  facade('file without a rank', 'attic.ts', 'export const a = 1;', /attic\.ts: has no rank/),
  facade('comment with another rank', 'handles/planted.ts', '/** Room: handles (99). */', /calls its room handles \(99\); correct the comment/),
  facade('circle of one', 'handles/planted.ts', "import type { A } from './planted.js';", /circle handles\/planted → handles\/planted/),
  facade('look-alikes', 'handles/planted.ts', "// import './x.js'\nconst a = \"from './manager.js'\"; const b = /['\"`]/; const c = 4 / 2; /* '#native' */ import 'node:util';", null),
  { name: 'logic in index.ts', file: 'index.ts', edit: () => 'export const answer = 42;\n', expect: /index\.ts: holds more than exports/ },
  { name: 'exports in index.ts', file: 'index.ts', edit: () => "\n// const x = 1\nexport type { A, B } from './facade/types.js';\nexport * as y from './facade/y.js'\n", expect: null },
];

export const plants = [...rustPlants, ...facadePlants];

export const cycleFiles = {
  'a.ts': "import type { B } from './b.js';\nexport interface A { b: B }\n",
  'b.ts': "import type { A } from './a.js';\nexport interface B { a: A }\n",
};
