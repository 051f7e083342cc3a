import vue from "eslint-plugin-vue";
import tseslint from "typescript-eslint";

const DOORS = [
  { group: ["@/stores/*", "**/stores/*"], message: "A component takes props and emits events; stores belong to views and composables." },
  { group: ["@/api/client", "@/api/events", "**/api/client", "**/api/events", "**/api/generated", "**/api/generated/*"], message: "A component asks for nothing by itself." },
];
const GENERATED = { group: ["**/api/generated", "**/api/generated/*"], message: "Use the names of api/types." };
const FETCHERS = ["fetch", "XMLHttpRequest", "EventSource", "WebSocket"].map((name) => ({ name, message: "Only api/client.ts talks to the node." }));
const ADDING = {
  selector: "CallExpression[callee.name=/^(parseFloat)$/], CallExpression[callee.object.name='Number'][callee.property.name='parseFloat']",
  message: "Money stays a decimal string; format/money.ts shows it.",
};
const MONEY = "price|equity|realised|unrealised|fees|fee|capital|quantity|filled|position|transfers|average_price|mark_price";
const SUMS = {
  selector: `BinaryExpression[operator=/^[-+*\\/%]$/] > :matches(MemberExpression, CallExpression[callee.name='Number'] > MemberExpression)[property.name=/^(${MONEY})$/], BinaryExpression[operator=/^[-+*\\/%]$/] > CallExpression[callee.name='Number'] > MemberExpression[property.name=/^(${MONEY})$/]`,
  message: "The browser adds nothing up: the node does, exactly.",
};
const lines = (max) => ["error", { max, skipBlankLines: false, skipComments: false }];

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/generated"] },
  tseslint.configs.strict,
  tseslint.configs.stylistic,
  vue.configs["flat/recommended"],
  { files: ["**/*.vue"], languageOptions: { parserOptions: { parser: tseslint.parser } } },
  {
    rules: {
      complexity: ["error", 10],
      "max-lines": lines(250),
      "no-restricted-globals": ["error", ...FETCHERS],
      "no-restricted-syntax": ["error", ADDING, SUMS],
      "no-restricted-imports": ["error", { patterns: [GENERATED] }],
      "@typescript-eslint/no-non-null-assertion": "off",
      // Layout of templates is a matter of reading, and lines here are wide.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/require-default-prop": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/no-v-html": "error",
    },
  },
  { files: ["**/*.vue"], rules: { "max-lines": lines(200), "vue/multi-word-component-names": ["error", { ignores: ["index", "App"] }] } },
  {
    files: ["src/components/**", "src/forms/**", "src/chart/**", "src/views/*/parts/**", "src/shell/parts/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [...DOORS, GENERATED] }] },
  },
  // Places on the screen are floats.
  { files: ["src/chart/**", "src/components/EquityLine.vue"], rules: { "no-restricted-syntax": "off" } },
  { files: ["src/api/client.ts"], rules: { "no-restricted-globals": "off" } },
  { files: ["src/api/client.ts", "src/api/types.ts"], rules: { "no-restricted-imports": "off" } },
);
