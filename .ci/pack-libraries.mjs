// Packs libraries as `npm publish` would, and checks what is in the packages.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from './claims.mjs';
import { root } from './source-files.mjs';

/** Package name -> { name, folder, file, paths, manifest }, with `file` in `target` and `paths` as they are in it. */
export function packLibraries(target, libraries, run) {
  const tarballs = libraries.map((library) => {
    const folder = join('libs', library);
    const reply = JSON.parse(run(root, 'npm', 'pack', '--json', '--pack-destination', target, '-w', folder));
    // An array, or since npm 12 an object with the package's name as its key.
    const [{ name, filename, files }] = Object.values(reply);
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return { name, folder, file: join(target, filename), paths: new Set(files.map(({ path }) => path)), manifest };
  });
  return new Map(tarballs.map((tarball) => [tarball.name, tarball]));
}

export function checkTarball({ name, folder, paths, manifest }) {
  const absent = [...targets([manifest.main, manifest.types, manifest.exports]), ...luaFiles(folder)].filter(
    (path) => !paths.has(path),
  );
  claim(`${name} holds all its entry points and Lua scripts`, absent.length === 0, absent.join('\n'));
  const surplus = [...paths].filter((path) => /\.spec\.|\.tsbuildinfo$|^(?:test|node_modules)\//.test(path));
  claim(`${name} holds no specs and no build state`, surplus.length === 0, surplus.join('\n'));
  // Only where files were renamed since the last clean build; a fresh clone has none.
  for (const path of paths) {
    const source = /^dist\/(.+)\.js$/.exec(path)?.[1];
    if (source && !paths.has(`src/${source}.ts`)) console.log(`note   ${name}: ${path} has no source, npm run clean`);
  }
}

/** Every file that an `exports` tree names, as npm writes paths. */
function targets(value) {
  if (typeof value === 'string') return [value.replace(/^\.\//, '')];
  return Object.values(value ?? {}).flatMap(targets);
}

function luaFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.lua') && !path.startsWith('node_modules'))
    .map((path) => path.replaceAll('\\', '/'));
}
