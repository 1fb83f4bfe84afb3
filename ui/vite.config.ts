import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.OMS_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  // Everything is a file of its own: the policy of the page allows nothing inline.
  build: { outDir: "dist/desk", emptyOutDir: true, assetsInlineLimit: 0, target: "es2023", modulePreload: { polyfill: false } },
  server: { proxy: { "/api": { target: server, ws: true } } },
  test: { include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
