/** The tests of the built page in Chromium: `npm run test:page`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/browser/**/*.chromium.ts"],
    globalSetup: "tests/browser/samples.ts",
    fileParallelism: false, // two browsers would measure no faster
    testTimeout: 300_000, // beside other work too
    hookTimeout: 600_000,
  },
});
