import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["generated/**", "dist/**", "node_modules/**"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  { files: ["*.mjs", "tests/**/*.mjs"], languageOptions: { globals: { console: "readonly", process: "readonly" } } },
  {
    files: ["src/app/**"], // the page knows the measurement by its index alone
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "/core/(?!index$)" }] }] },
  },
  {
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-non-null-assertion": "off", // where the compiler cannot see what a loop's bounds say
    },
  },
);
