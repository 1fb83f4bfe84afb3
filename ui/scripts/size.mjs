// Compresses what was built, once, so that the server need not; and fails above the goal for what a first visit loads.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = "dist/desk";
const GOAL = 120_000;
const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
const sizes = new Map();
for (const file of files) {
  if (statSync(file).isDirectory() || /\.(br|gz)$/.test(file)) continue;
  const bytes = readFileSync(file);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  sizes.set(file, brotli.length);
  if (brotli.length < bytes.length) {
    writeFileSync(`${file}.br`, brotli);
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  }
}
const page = readFileSync(join(folder, "index.html"), "utf8");
const first = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => join(folder, match[1]));
const total = first.reduce((sum, file) => sum + (sizes.get(file) ?? 0), sizes.get(join(folder, "index.html")) ?? 0);
for (const [file, size] of sizes) console.log(`${String(size).padStart(8)} B  ${file}`);
console.log(`first visit: ${total} B of ${GOAL} B (brotli)`);
if (total > GOAL) throw new Error("a first visit loads more than the goal");
