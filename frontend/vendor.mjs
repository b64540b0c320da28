// Builds static/vendor from the pinned packages: `npm ci && npm run vendor`. Same input, same bytes.
import {createHash} from "node:crypto";
import {copyFile, mkdir, readFile, rm, writeFile} from "node:fs/promises";
import {fileURLToPath} from "node:url";
import {build} from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const modules = `${here}node_modules`;
const out = fileURLToPath(new URL("../static/vendor", import.meta.url));

const readJson = async path => JSON.parse(await readFile(path, "utf8"));
const versionOf = async name => (await readJson(`${modules}/${name}/package.json`)).version;

/** One ES module with its licence comments kept. */
async function bundleLit(version) {
  const file = `lit-${version}.js`;
  await build({
    entryPoints: [`${here}lit.js`],
    outfile: `${out}/${file}`,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["production"],
    legalComments: "inline",
    logLevel: "warning",
  });
  return file;
}

/** Picked outline icons as symbols of one file, so that a page asks once for all. */
async function spriteIcons() {
  const symbols = [];
  for (const name of await readJson(`${here}icons.json`)) {
    const svg = await readFile(`${modules}/@tabler/icons/icons/outline/${name}.svg`, "utf8");
    const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
    const body = shapes.replace(/<path stroke="none"[^>]*\/>/g, "").replace(/\s+/g, " ").trim();
    symbols.push(
      `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"` +
        ` stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`,
    );
  }
  await writeFile(`${out}/icons.svg`, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
  return "icons.svg";
}

async function copyFont(subset) {
  const file = `inter-${subset}-wght-normal.woff2`;
  await copyFile(`${modules}/@fontsource-variable/inter/files/${file}`, `${out}/${file}`);
  return file;
}

async function copyLicence(name, file) {
  await copyFile(`${modules}/${name}/LICENSE`, `${out}/${file}`);
}

async function entry(name, version, licence, file) {
  const sha256 = createHash("sha256").update(await readFile(`${out}/${file}`)).digest("hex");
  return {name, version, licence, file, sha256};
}

await rm(out, {recursive: true, force: true});
await mkdir(out, {recursive: true});

const lit = await versionOf("lit");
const inter = await versionOf("@fontsource-variable/inter");
const tabler = await versionOf("@tabler/icons");

await copyLicence("lit", "lit.LICENSE.txt");
await copyLicence("@fontsource-variable/inter", "inter.LICENSE.txt");
await copyLicence("@tabler/icons", "icons.LICENSE.txt");

const list = [
  await entry("lit", lit, "BSD-3-Clause", await bundleLit(lit)),
  await entry("@fontsource-variable/inter", inter, "OFL-1.1", await copyFont("latin")),
  await entry("@fontsource-variable/inter", inter, "OFL-1.1", await copyFont("cyrillic")),
  await entry("@tabler/icons", tabler, "MIT", await spriteIcons()),
];
await writeFile(`${out}/VENDOR.json`, JSON.stringify(list, null, 2) + "\n");
