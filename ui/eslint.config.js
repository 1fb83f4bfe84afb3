import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist/**", "src/api/schema.d.ts", "e2e/output/**"] },
  ...ts.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js", "scripts/*.mjs"] }, tsconfigRootDir: import.meta.dirname } },
    plugins: { "react-hooks": hooks, "jsx-a11y": a11y },
    rules: {
      ...hooks.configs.recommended.rules,
      ...a11y.flatConfigs.recommended.rules,
      // A grid, a treegrid and a menu have their keys on the element that carries the role.
      "jsx-a11y/no-noninteractive-tabindex": ["error", { roles: ["tabpanel", "grid", "treegrid", "region"], allowExpressionValues: true }],
      // Rows and heads are reached by aria-activedescendant of their grid, which has the focus.
      "jsx-a11y/interactive-supports-focus": "off",
      "jsx-a11y/no-autofocus": "off",
      "react-hooks/set-state-in-effect": "off",
      "react-hooks/refs": "off",
      // The rank of rows is renewed by the clock on purpose.
      "react-hooks/purity": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  { files: ["*.js", "scripts/*.mjs"], ...ts.configs.disableTypeChecked },
);
