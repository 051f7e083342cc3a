import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../src/", import.meta.url));

/** The page's own files, without the generated client. */
export function sources(pattern: string): { path: string; text: string }[] {
  return globSync(pattern, { cwd: ROOT })
    .filter((path) => !path.startsWith("api/generated"))
    .map((path) => ({ path, text: readFileSync(ROOT + path, "utf8") }));
}
