import { fileURLToPath } from "node:url";
import i18n from "@intlify/unplugin-vue-i18n/vite";
import vue from "@vitejs/plugin-vue";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import components from "unplugin-vue-components/vite";
import { defineConfig } from "vitest/config";

const source = fileURLToPath(new URL("src", import.meta.url));
const node = process.env.ARES_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    vue(),
    i18n({ include: [`${source}/i18n/*.json`], strictMessage: true }),
    // Only Element Plus is found by itself; our own components are imported by name, so that the laws see them.
    components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
  ],
  resolve: { alias: { "@": source } },
  build: { target: "es2022", reportCompressedSize: false, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/api": node, "/login": node, "/health": node } },
  // A busy machine takes its time over the first form that it draws.
  test: { testTimeout: 120_000, include: ["tests/**/*.test.ts"], isolate: false, server: { deps: { inline: ["element-plus"] } } },
});
