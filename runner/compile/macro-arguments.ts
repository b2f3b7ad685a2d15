type Node = hbs.AST.Node & Record<string, unknown>;

/**
 * Every name that a macro's text could take from its arguments; names of helpers and of the items of a
 * list are among them, since more is harmless. `undefined` when the macro hands its arguments on as a whole.
 */
export function macroArguments(syntax: hbs.AST.Program): ReadonlySet<string> | undefined {
    const names = new Set<string>();
    let isWhole = false;
    const walk = (node: Node, depth: number) => {
        if (node.type === "PathExpression") {
            const { parts, data, depth: up, original } = node as unknown as hbs.AST.PathExpression;
            const [first] = parts;
            // `this` in an {{#each}} is an item; outside of it, and `../this` or `@root`, the arguments.
            if (first === undefined ? up >= depth && !data : original.startsWith("@root")) isWhole = true;
            if (first !== undefined) names.add(first);
        }
        const path = node.path as hbs.AST.PathExpression | undefined;
        const changesContext = node.type === "BlockStatement" && /^(each|with)$/.test(path?.original ?? "");
        for (const [key, child] of Object.entries(node)) {
            if (key === "loc") continue;
            const inner = depth + (changesContext && key === "program" ? 1 : 0);
            for (const one of Array.isArray(child) ? child : [child]) {
                if (typeof one === "object" && one !== null && "type" in one) walk(one as Node, inner);
            }
        }
    };
    walk(syntax as unknown as Node, 0);
    return isWhole ? undefined : names;
}
