/** What the lint knows, and in a line what it points at; see docs/lint.md. */
export const lintRules = {
    "current-row": "a frame that ends with the row itself, or with its day",
    "default-frame": "a window with an order and no frame: it ends with the row itself and its ties",
    "frame-not-by-day": "a frame that ends before the row, but not before its day",
    "reads-ahead": "a frame or lead() that reads rows after this one",
    "tie-break": "a choice among rows whose order is not shown to be unique",
    "unordered-pick": "a choice among rows without an order",
    clock: "a value of the clock: it is another one at the next run",
    random: "a value of chance: it is another one at the next run",
    "history-length": "a script, which may tell a history by its length: audits replay it on whole histories",
    acceptance: "an acceptance without a reason, of no known rule, or of nothing that is there",
} as const;

export type LintRule = keyof typeof lintRules;
export const lintRuleNames = Object.keys(lintRules) as [LintRule, ...LintRule[]];

export const lintLevels = ["off", "warn", "error"] as const;
export type LintLevel = (typeof lintLevels)[number];
