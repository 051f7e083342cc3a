import { defineConfig } from "@hey-api/openapi-ts";

// The description of the API is kept beside the page; tests compare it with the API's own, and this client with it.
export default defineConfig({
  input: "openapi.json",
  output: { path: process.env.ARES_CLIENT_OUTPUT ?? "src/api/generated" },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true, baseUrl: false },
    "@hey-api/typescript",
    { name: "@hey-api/sdk", responseStyle: "data" },
  ],
});
